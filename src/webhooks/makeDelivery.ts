import { v7 } from 'uuid';
import { complaintBody } from './complaint.ts';
import { eventBody } from './webhookBody.ts';
import type { MakeDelivery } from './webhookRecords.ts';

/**
 * What a receiver is sent of an event; a clipping service is sent complaints. Its id is the webhook-id of every try.
 *
 * @param node who tells
 */
export const deliveryMaker =
  (node: string): MakeDelivery =>
  (event, kind) =>
    kind === 'clipper'
      ? { id: v7(), type: 'job.rejected', body: complaintBody(event, node) }
      : { id: v7(), type: event.type, body: eventBody(event) };
