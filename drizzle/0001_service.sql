CREATE TABLE "job_costs" (
	"key" text PRIMARY KEY NOT NULL,
	"samples" integer NOT NULL,
	"cost" jsonb NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"xid" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"tenant_id" text NOT NULL,
	"job_id" uuid,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"data" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant_id" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" "bytea" NOT NULL,
	"status" integer NOT NULL,
	"body" jsonb NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_id_key_pk" PRIMARY KEY("tenant_id","key")
);
--> statement-breakpoint
CREATE TABLE "schedules" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"key_id" text,
	"name" text NOT NULL,
	"cron" text NOT NULL,
	"time_zone" text NOT NULL,
	"window_ms" double precision NOT NULL,
	"spec" jsonb NOT NULL,
	"terms" jsonb NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"next_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant_id" text NOT NULL,
	"name" text NOT NULL,
	"secret_hash" "bytea" NOT NULL,
	"scopes" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"weight" double precision DEFAULT 1 NOT NULL,
	"running_max" integer,
	"waiting_max" integer,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"event_id" bigint NOT NULL,
	"job_id" uuid,
	"type" text NOT NULL,
	"body" text NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp (3) with time zone NOT NULL,
	"last_status" integer,
	"last_error" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"delivered_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text DEFAULT 'webhook' NOT NULL,
	"tenant_id" text NOT NULL,
	"job_id" uuid,
	"key_id" text,
	"url" text NOT NULL,
	"secrets" jsonb NOT NULL,
	"types" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"disabled_why" text,
	"cursor_xid" "xid8" NOT NULL,
	"cursor_id" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
INSERT INTO "tenants" ("id", "name", "created_at") VALUES ('default', 'default', now());--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "tenant_id" text DEFAULT 'default' NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "key_id" text;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "labels" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "waiting" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "priority" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "run_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "jobs" SET "run_at" = "created_at";--> statement-breakpoint
ALTER TABLE "jobs" ALTER COLUMN "run_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "expires_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "may_wait" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "source_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "cost_key" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "retry" jsonb;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "retry_of" uuid;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "tries" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "schedule_id" uuid;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_webhook_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "public"."webhook_endpoints"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "events_order" ON "events" USING btree ("xid","id");--> statement-breakpoint
CREATE INDEX "events_job" ON "events" USING btree ("job_id","id");--> statement-breakpoint
CREATE INDEX "events_at" ON "events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "schedules_next" ON "schedules" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "api_keys_tenant" ON "api_keys" USING btree ("tenant_id");--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_deliveries_once" ON "webhook_deliveries" USING btree ("endpoint_id","event_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" USING btree ("state","next_at");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_order" ON "webhook_deliveries" USING btree ("endpoint_id","job_id","event_id");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_tenant" ON "webhook_endpoints" USING btree ("tenant_id");--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_schedule_id_schedules_id_fk" FOREIGN KEY ("schedule_id") REFERENCES "public"."schedules"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "jobs_tenant" ON "jobs" USING btree ("tenant_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "jobs_source" ON "jobs" USING btree ("tenant_id","source_key");--> statement-breakpoint
CREATE INDEX "jobs_waiting" ON "jobs" USING btree ("tenant_id","priority" DESC NULLS LAST,"run_at","id") WHERE "jobs"."waiting";--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_retry_of" ON "jobs" USING btree ("retry_of");--> statement-breakpoint
CREATE UNIQUE INDEX "jobs_schedule_run" ON "jobs" USING btree ("schedule_id","run_at");--> statement-breakpoint
-- The log of events is written by whatever commits: a move, a decision, a gap and its event are there together, or not at all.
CREATE FUNCTION "tell_event"("job" uuid, "kind" text, "moment" timestamptz, "facts" jsonb) RETURNS void LANGUAGE sql AS $$
	INSERT INTO "events" ("tenant_id", "job_id", "type", "at", "data")
	SELECT "tenant_id", "id", "kind", "moment", "facts" FROM "jobs" WHERE "id" = "job"
$$;--> statement-breakpoint
CREATE FUNCTION "tell_submitted"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell_event(NEW.id, 'job.submitted', NEW.created_at, jsonb_build_object('url', NEW.source_url, 'waiting', NEW.waiting));
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER "jobs_told" AFTER INSERT ON "jobs" FOR EACH ROW EXECUTE FUNCTION "tell_submitted"();--> statement-breakpoint
CREATE FUNCTION "tell_moved"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell_event(NEW.job_id, 'job.moved', NEW.at, jsonb_strip_nulls(jsonb_build_object(
		'from', NEW.from_state, 'to', NEW.to_state, 'cause', NEW.cause, 'attempt', NEW.attempt,
		'outcome', (SELECT "outcome" FROM "jobs" WHERE "id" = NEW.job_id)
	)) || jsonb_build_object('evidence', NEW.evidence));
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER "job_transitions_told" AFTER INSERT ON "job_transitions" FOR EACH ROW EXECUTE FUNCTION "tell_moved"();--> statement-breakpoint
CREATE FUNCTION "tell_decided"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell_event(NEW.job_id, 'job.decided', NEW.at, jsonb_build_object(
		'dog', NEW.dog, 'decision', NEW.decision, 'why', NEW.why, 'evidence', NEW.evidence
	));
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER "decisions_told" AFTER INSERT ON "decisions" FOR EACH ROW EXECUTE FUNCTION "tell_decided"();--> statement-breakpoint
CREATE FUNCTION "tell_lost"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell_event(NEW.job_id, 'segment.lost', NEW.at, jsonb_build_object(
		'track', NEW.track, 'epoch', NEW.epoch, 'msn', NEW.msn, 'count', NEW.count,
		'cause', NEW.cause, 'detail', NEW.detail, 'durationMs', NEW.duration_ms
	));
	RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER "gaps_told" AFTER INSERT ON "gaps" FOR EACH ROW EXECUTE FUNCTION "tell_lost"();
