DROP INDEX "jobs_source";--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "retry_settled" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "ended_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "jobs" SET "ended_at" = "updated_at" WHERE "state" IN ('done', 'failed', 'cancelled', 'rejected', 'expired');--> statement-breakpoint
CREATE INDEX "jobs_unfinished" ON "jobs" USING btree ("tenant_id","source_key") WHERE "jobs"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "jobs_retry" ON "jobs" USING btree ("ended_at") WHERE "jobs"."retry" is not null and not "jobs"."retry_settled";