CREATE TABLE "event_horizon" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"xid" "xid8" NOT NULL,
	"event_id" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "webhook_deliveries_order";--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "place" bigint NOT NULL GENERATED ALWAYS AS IDENTITY (sequence name "webhook_deliveries_place_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1);--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD COLUMN "old_secrets_until" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_next" ON "webhook_deliveries" USING btree ("endpoint_id","job_id","place") WHERE "webhook_deliveries"."state" = 'waiting';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_shown" ON "webhook_deliveries" USING btree ("endpoint_id","place");--> statement-breakpoint
-- Queries, fragments and credentials of links may be secrets: those who hear of events get none of them.
CREATE FUNCTION "public_url"("url" text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT regexp_replace(regexp_replace("url", '[?#].*$', ''), '^([A-Za-z][A-Za-z0-9+.-]*://)[^/]*@', '\1')
$$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION "tell_submitted"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM tell_event(NEW.id, 'job.submitted', NEW.created_at, jsonb_build_object('url', public_url(NEW.source_url), 'waiting', NEW.waiting));
	RETURN NULL;
END $$;--> statement-breakpoint
-- What is left of a gap when a segment heals a part of it was told before: `kennel.retold` is on in its transaction while it is written.
DROP TRIGGER "gaps_told" ON "gaps";--> statement-breakpoint
CREATE TRIGGER "gaps_told" AFTER INSERT ON "gaps" FOR EACH ROW
	WHEN (current_setting('kennel.retold', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION "tell_lost"();
