import { z } from "zod";

import type { AdminQuery } from "../admin";

const Live = z.object({
  id: z.string(),
  topic: z.string(),
  uri: z.string(),
  filter: z.string().nullable(),
  includeFields: z.array(z.string()),
});

export type LiveSubscription = z.infer<typeof Live>;

/** The app's own subscriptions in this store; those of other apps and those of its configuration file are not listed. */
export const ListSubscriptions: AdminQuery<{
  webhookSubscriptions: { nodes: LiveSubscription[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}> = {
  name: "ListSubscriptions",
  text: `query ListSubscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri filter includeFields }
    pageInfo { hasNextPage endCursor }
  }
}`,
  answer: z.object({
    webhookSubscriptions: z.object({
      nodes: z.array(Live),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    }),
  }),
};

const UserErrors = z.array(z.object({ message: z.string() }));

export const CreateSubscription: AdminQuery<{
  webhookSubscriptionCreate: { webhookSubscription: { id: string } | null; userErrors: { message: string }[] } | null;
}> = {
  name: "CreateSubscription",
  text: `mutation CreateSubscription($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: { uri: $uri, format: JSON }) {
    webhookSubscription { id }
    userErrors { message }
  }
}`,
  answer: z.object({
    webhookSubscriptionCreate: z
      .object({ webhookSubscription: z.object({ id: z.string() }).nullable(), userErrors: UserErrors })
      .nullable(),
  }),
};

export const DeleteSubscription: AdminQuery<{
  webhookSubscriptionDelete: { deletedWebhookSubscriptionId: string | null } | null;
}> = {
  name: "DeleteSubscription",
  text: `mutation DeleteSubscription($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { message }
  }
}`,
  answer: z.object({
    webhookSubscriptionDelete: z.object({ deletedWebhookSubscriptionId: z.string().nullable() }).nullable(),
  }),
};
