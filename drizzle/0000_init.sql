CREATE TABLE "decisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "decisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"dog" text NOT NULL,
	"decision" text NOT NULL,
	"why" text NOT NULL,
	"evidence" jsonb NOT NULL,
	CONSTRAINT "decisions_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "gaps" (
	"job_id" uuid NOT NULL,
	"track" text NOT NULL,
	"epoch" integer NOT NULL,
	"msn" bigint NOT NULL,
	"count" integer NOT NULL,
	"cause" text NOT NULL,
	"detail" text NOT NULL,
	"duration_ms" double precision NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "gaps_job_id_track_epoch_msn_pk" PRIMARY KEY("job_id","track","epoch","msn")
);
--> statement-breakpoint
CREATE TABLE "job_transitions" (
	"job_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"from_state" text NOT NULL,
	"to_state" text NOT NULL,
	"cause" text NOT NULL,
	"evidence" jsonb NOT NULL,
	"token" bigint NOT NULL,
	"attempt" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "job_transitions_job_id_version_pk" PRIMARY KEY("job_id","version")
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"version" integer DEFAULT 0 NOT NULL,
	"token" bigint DEFAULT 0 NOT NULL,
	"attempt" integer DEFAULT 0 NOT NULL,
	"spec" jsonb NOT NULL,
	"source_url" text NOT NULL,
	"output" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"ending" text,
	"verdict" text,
	"outcome" text,
	"cause" text,
	"evidence" jsonb
);
--> statement-breakpoint
CREATE TABLE "legal_moves" (
	"from_state" text NOT NULL,
	"to_state" text NOT NULL,
	CONSTRAINT "legal_moves_from_state_to_state_pk" PRIMARY KEY("from_state","to_state")
);
--> statement-breakpoint
CREATE TABLE "recordings" (
	"job_id" uuid PRIMARY KEY NOT NULL,
	"journal_offset" bigint DEFAULT 0 NOT NULL,
	"segments" integer DEFAULT 0 NOT NULL,
	"lost" integer DEFAULT 0 NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"durations_ms" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"started_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "segments" (
	"job_id" uuid NOT NULL,
	"track" text NOT NULL,
	"epoch" integer NOT NULL,
	"msn" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"duration_ms" double precision NOT NULL,
	"bytes" bigint NOT NULL,
	"checksum" "bytea" NOT NULL,
	"container" text NOT NULL,
	"discontinuity" integer NOT NULL,
	"init" integer,
	"wall_clock" timestamp (3) with time zone,
	CONSTRAINT "segments_job_id_track_epoch_msn_pk" PRIMARY KEY("job_id","track","epoch","msn")
);
--> statement-breakpoint
ALTER TABLE "decisions" ADD CONSTRAINT "decisions_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gaps" ADD CONSTRAINT "gaps_job_id_recordings_job_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."recordings"("job_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_transitions" ADD CONSTRAINT "job_transitions_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "job_transitions" ADD CONSTRAINT "job_transitions_legal" FOREIGN KEY ("from_state","to_state") REFERENCES "public"."legal_moves"("from_state","to_state") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recordings" ADD CONSTRAINT "recordings_job_id_jobs_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "segments" ADD CONSTRAINT "segments_job_id_recordings_job_id_fk" FOREIGN KEY ("job_id") REFERENCES "public"."recordings"("job_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "decisions_job" ON "decisions" USING btree ("job_id","id");--> statement-breakpoint
CREATE INDEX "jobs_created_at" ON "jobs" USING btree ("created_at");