CREATE TABLE `audit_log` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`fields` text DEFAULT '[]' NOT NULL,
	`request_id` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `audit_log_id_unique` ON `audit_log` (`id`);--> statement-breakpoint
CREATE INDEX `audit_log_shop` ON `audit_log` (`shop`);--> statement-breakpoint
CREATE INDEX `audit_log_subject` ON `audit_log` (`shop`,`subject`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`actor` text NOT NULL,
	`key` text NOT NULL,
	`request_hash` text NOT NULL,
	`status` integer,
	`body` text,
	`subject` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`actor`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `idempotency_keys_age` ON `idempotency_keys` (`created_at`);--> statement-breakpoint
CREATE INDEX `idempotency_keys_subject` ON `idempotency_keys` (`subject`) WHERE subject is not null;--> statement-breakpoint
CREATE TABLE `api_keys` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`hint` text NOT NULL,
	`hash` text NOT NULL,
	`scopes` text NOT NULL,
	`created_at` integer NOT NULL,
	`revoked_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_id_unique` ON `api_keys` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash_unique` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE INDEX `api_keys_shop` ON `api_keys` (`shop`);--> statement-breakpoint
CREATE TABLE `carts` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`id` text NOT NULL,
	`token` text NOT NULL,
	`checkout_token` text,
	`visitor` integer,
	`contact` integer,
	`state` text NOT NULL,
	`currency` text,
	`value` integer,
	`items` text DEFAULT '[]' NOT NULL,
	`checkout_url` text,
	`reached` integer NOT NULL,
	`activity_at` integer NOT NULL,
	`settled_at` integer,
	`abandoned_at` integer,
	`recovered_at` integer,
	`purchased_at` integer,
	`purchased_by` text,
	`cart_updated_at` integer,
	`cart_triggered_at` integer,
	`checkout_updated_at` integer,
	`checkout_triggered_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `carts_id_unique` ON `carts` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `carts_token` ON `carts` (`shop`,`token`);--> statement-breakpoint
CREATE UNIQUE INDEX `carts_checkout_token` ON `carts` (`shop`,`checkout_token`) WHERE checkout_token is not null;--> statement-breakpoint
CREATE INDEX `carts_shop` ON `carts` (`shop`);--> statement-breakpoint
CREATE INDEX `carts_state` ON `carts` (`shop`,`state`);--> statement-breakpoint
CREATE INDEX `carts_visitor` ON `carts` (`visitor`) WHERE visitor is not null;--> statement-breakpoint
CREATE INDEX `carts_contact` ON `carts` (`contact`) WHERE contact is not null;--> statement-breakpoint
CREATE INDEX `carts_open` ON `carts` (`shop`,`activity_at`) WHERE state = 'open';--> statement-breakpoint
CREATE TABLE `drops` (
	`shop` integer NOT NULL,
	`day` text NOT NULL,
	`reason` text NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`shop`, `day`, `reason`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `claims` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`contact` integer NOT NULL,
	`visitor` integer NOT NULL,
	`kind` text NOT NULL,
	`at` integer NOT NULL,
	`undone_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `claims_id_unique` ON `claims` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `claims_visitor` ON `claims` (`visitor`,`contact`,`kind`);--> statement-breakpoint
CREATE INDEX `claims_contact` ON `claims` (`contact`);--> statement-breakpoint
CREATE TABLE `consents` (
	`contact` integer NOT NULL,
	`channel` text NOT NULL,
	`shop` integer NOT NULL,
	`state` text NOT NULL,
	`level` text,
	`basis` text NOT NULL,
	`decided_at` integer,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`contact`, `channel`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `contact_aliases` (
	`id` text PRIMARY KEY NOT NULL,
	`shop` integer NOT NULL,
	`contact` integer NOT NULL,
	`merged_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `contact_aliases_contact` ON `contact_aliases` (`contact`);--> statement-breakpoint
CREATE TABLE `contact_tags` (
	`shop` integer NOT NULL,
	`tag` text NOT NULL,
	`contact` integer NOT NULL,
	`label` text NOT NULL,
	`origin` text NOT NULL,
	`at` integer NOT NULL,
	`removed` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`shop`, `tag`, `contact`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `contact_tags_contact` ON `contact_tags` (`contact`,`removed`,`label`);--> statement-breakpoint
CREATE TABLE `contacts` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`id` text NOT NULL,
	`email` text,
	`phone` text,
	`phone_source` text,
	`first_name` text,
	`last_name` text,
	`company` text,
	`line1` text,
	`line2` text,
	`city` text,
	`province` text,
	`country` text,
	`zip` text,
	`shopify_customer_id` text,
	`external_id` text,
	`source` text NOT NULL,
	`verified` integer NOT NULL,
	`account_state` text,
	`tax_exempt` integer,
	`stage` text NOT NULL,
	`status` text,
	`score` integer DEFAULT 0 NOT NULL,
	`fields` text DEFAULT '{}' NOT NULL,
	`orders_count` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`shopify_created_at` integer,
	`shopify_updated_at` integer,
	`shopify_values` text DEFAULT '{}' NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `contacts_id_unique` ON `contacts` (`id`);--> statement-breakpoint
CREATE INDEX `contacts_shop` ON `contacts` (`shop`) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX `contacts_stage` ON `contacts` (`shop`,`stage`) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX `contacts_status` ON `contacts` (`shop`,`status`) WHERE deleted_at is null and status is not null;--> statement-breakpoint
CREATE INDEX `contacts_trash` ON `contacts` (`shop`,`deleted_at`) WHERE deleted_at is not null;--> statement-breakpoint
CREATE TABLE `identities` (
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`value` text NOT NULL,
	`contact` integer NOT NULL,
	`evidence` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `kind`, `value`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `identities_contact` ON `identities` (`contact`);--> statement-breakpoint
CREATE TABLE `lifecycle_history` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`contact` integer NOT NULL,
	`stage` text NOT NULL,
	`status` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `lifecycle_history_contact` ON `lifecycle_history` (`contact`);--> statement-breakpoint
CREATE TABLE `link_uses` (
	`shop` integer NOT NULL,
	`token` text NOT NULL,
	`visitor` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`shop`, `token`, `visitor`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `event_types` (
	`key` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `event_types_name_unique` ON `event_types` (`name`);--> statement-breakpoint
CREATE TABLE `events` (
	`shop` integer NOT NULL,
	`type` integer NOT NULL,
	`at` integer NOT NULL,
	`visitor` integer NOT NULL,
	`seq` integer NOT NULL,
	`page` integer,
	`data` text,
	PRIMARY KEY(`shop`, `type`, `at`, `visitor`, `seq`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `pages` (
	`key` integer PRIMARY KEY NOT NULL,
	`shop` integer NOT NULL,
	`url` text NOT NULL,
	`title` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pages_url` ON `pages` (`shop`,`url`);--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`type` text NOT NULL,
	`subject` text NOT NULL,
	`natural_key` text NOT NULL,
	`data` text NOT NULL,
	`at` integer NOT NULL,
	`error` text NOT NULL,
	`died_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `dead_letters_id_unique` ON `dead_letters` (`id`);--> statement-breakpoint
CREATE INDEX `dead_letters_shop` ON `dead_letters` (`shop`);--> statement-breakpoint
CREATE TABLE `jobs` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`progress` integer DEFAULT 0 NOT NULL,
	`total` integer,
	`input` text DEFAULT '{}' NOT NULL,
	`cursor` text,
	`result` text,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_id_unique` ON `jobs` (`id`);--> statement-breakpoint
CREATE INDEX `jobs_shop` ON `jobs` (`shop`);--> statement-breakpoint
CREATE INDEX `jobs_running` ON `jobs` (`updated_at`) WHERE state = 'running';--> statement-breakpoint
CREATE TABLE `outbox` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`type` text NOT NULL,
	`subject` text NOT NULL,
	`natural_key` text NOT NULL,
	`data` text DEFAULT '{}' NOT NULL,
	`at` integer NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_natural` ON `outbox` (`shop`,`type`,`natural_key`);--> statement-breakpoint
CREATE INDEX `outbox_subject` ON `outbox` (`shop`,`subject`);--> statement-breakpoint
CREATE TABLE `order_items` (
	`order` integer NOT NULL,
	`line` integer NOT NULL,
	`external_id` text,
	`product_id` text,
	`variant_id` text,
	`sku` text,
	`title` text NOT NULL,
	`variant_title` text,
	`vendor` text,
	`category` text,
	`image` text,
	`quantity` integer NOT NULL,
	`current_quantity` integer NOT NULL,
	`price` integer NOT NULL,
	`discounted_price` integer NOT NULL,
	PRIMARY KEY(`order`, `line`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `orders` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`id` text NOT NULL,
	`origin` text NOT NULL,
	`external_id` text NOT NULL,
	`name` text,
	`state` text NOT NULL,
	`financial_status` text,
	`fulfillment_status` text,
	`contact` integer,
	`visitor` integer,
	`cart_token` text,
	`checkout_token` text,
	`currency` text NOT NULL,
	`total` integer NOT NULL,
	`original_total` integer NOT NULL,
	`subtotal` integer,
	`discount` integer,
	`shipping` integer,
	`tax` integer,
	`presentment_currency` text,
	`presentment_total` integer,
	`discount_codes` text DEFAULT '[]' NOT NULL,
	`shipping_method` text,
	`source_name` text,
	`landing_site` text,
	`referring_site` text,
	`test` integer DEFAULT false NOT NULL,
	`placed_at` integer NOT NULL,
	`cancelled_at` integer,
	`fulfilled_at` integer,
	`paid_at` integer,
	`source_updated_at` integer,
	`source_triggered_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `orders_id_unique` ON `orders` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `orders_external` ON `orders` (`shop`,`origin`,`external_id`);--> statement-breakpoint
CREATE INDEX `orders_contact` ON `orders` (`contact`,`placed_at`) WHERE contact is not null;--> statement-breakpoint
CREATE INDEX `orders_shop` ON `orders` (`shop`);--> statement-breakpoint
CREATE INDEX `orders_state` ON `orders` (`shop`,`state`);--> statement-breakpoint
CREATE INDEX `orders_test` ON `orders` (`shop`) WHERE test = 1;--> statement-breakpoint
CREATE INDEX `orders_visitor` ON `orders` (`visitor`) WHERE visitor is not null;--> statement-breakpoint
CREATE INDEX `orders_cart_token` ON `orders` (`shop`,`cart_token`) WHERE cart_token is not null;--> statement-breakpoint
CREATE INDEX `orders_checkout_token` ON `orders` (`shop`,`checkout_token`) WHERE checkout_token is not null;--> statement-breakpoint
CREATE TABLE `refunds` (
	`shop` integer NOT NULL,
	`external_id` text NOT NULL,
	`order_external_id` text NOT NULL,
	`amount` integer NOT NULL,
	`currency` text NOT NULL,
	`at` integer NOT NULL,
	`items` text DEFAULT '[]' NOT NULL,
	PRIMARY KEY(`shop`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `refunds_order` ON `refunds` (`shop`,`order_external_id`);--> statement-breakpoint
CREATE TABLE `products` (
	`shop` integer NOT NULL,
	`external_id` text NOT NULL,
	`title` text NOT NULL,
	`category` text,
	`vendor` text,
	`tags` text DEFAULT '[]' NOT NULL,
	`image` text,
	`handle` text,
	`source_updated_at` integer,
	`source_triggered_at` integer,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tombstones` (
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`external_id` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`shop`, `kind`, `external_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `webhook_inbox` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`topic` text NOT NULL,
	`webhook_id` text NOT NULL,
	`event_id` text,
	`api_version` text,
	`triggered_at` integer NOT NULL,
	`received_at` integer NOT NULL,
	`body_hash` text NOT NULL,
	`body` text,
	`state` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at` integer NOT NULL,
	`error` text,
	`handled_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_inbox_id_unique` ON `webhook_inbox` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_inbox_webhook` ON `webhook_inbox` (`shop`,`webhook_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_inbox_body` ON `webhook_inbox` (`shop`,`topic`,`body_hash`,`triggered_at`);--> statement-breakpoint
CREATE INDEX `webhook_inbox_shop` ON `webhook_inbox` (`shop`);--> statement-breakpoint
CREATE INDEX `webhook_inbox_odd` ON `webhook_inbox` (`shop`,`state`) WHERE state in ('dead', 'unhandled', 'stale');--> statement-breakpoint
CREATE INDEX `webhook_inbox_pending` ON `webhook_inbox` (`shop`,`next_attempt_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE TABLE `shops` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`domain` text NOT NULL,
	`name` text NOT NULL,
	`currency` text NOT NULL,
	`timezone` text NOT NULL,
	`origins` text DEFAULT '[]' NOT NULL,
	`settings` text DEFAULT '{}' NOT NULL,
	`pixel_key` text NOT NULL,
	`status` text DEFAULT 'active' NOT NULL,
	`access_token` text,
	`installed_at` integer NOT NULL,
	`uninstalled_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `shops_id_unique` ON `shops` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `shops_domain_unique` ON `shops` (`domain`);--> statement-breakpoint
CREATE TABLE `erased` (
	`shop` integer NOT NULL,
	`hash` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`shop`, `hash`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `visitors` (
	`key` integer PRIMARY KEY NOT NULL,
	`shop` integer NOT NULL,
	`tracker` text NOT NULL,
	`person` integer NOT NULL,
	`contact` integer,
	`evidence` text,
	`linked_at` integer,
	`channel` text NOT NULL,
	`country` text,
	`region` text,
	`city` text,
	`visits` integer NOT NULL,
	`page_views` integer NOT NULL,
	`first_seen_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`first_touch` text,
	`last_touch` text,
	`device` text,
	`flushed_seq` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `visitors_tracker` ON `visitors` (`shop`,`tracker`,`person`);--> statement-breakpoint
CREATE INDEX `visitors_contact` ON `visitors` (`contact`) WHERE contact is not null;--> statement-breakpoint
CREATE INDEX `visitors_anonymous` ON `visitors` (`shop`) WHERE contact is null;--> statement-breakpoint
CREATE TABLE `visits` (
	`visitor` integer NOT NULL,
	`no` integer NOT NULL,
	`part` integer NOT NULL,
	`at` integer NOT NULL,
	`until` integer NOT NULL,
	`touch` text,
	`path` text NOT NULL,
	PRIMARY KEY(`visitor`, `no`, `part`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE VIRTUAL TABLE `contacts_search` USING fts5(shop, email, phone, first_name, last_name, company, content='contacts', content_rowid='key', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
--> statement-breakpoint
INSERT INTO `contacts_search`(`contacts_search`, `rank`) VALUES ('secure-delete', 1);
--> statement-breakpoint
CREATE TRIGGER `contacts_search_insert` AFTER INSERT ON `contacts` BEGIN
	INSERT INTO `contacts_search`(`rowid`, `shop`, `email`, `phone`, `first_name`, `last_name`, `company`) VALUES (new.`key`, new.`shop`, new.`email`, new.`phone`, new.`first_name`, new.`last_name`, new.`company`);
END;
--> statement-breakpoint
CREATE TRIGGER `contacts_search_delete` AFTER DELETE ON `contacts` BEGIN
	INSERT INTO `contacts_search`(`contacts_search`, `rowid`, `shop`, `email`, `phone`, `first_name`, `last_name`, `company`) VALUES ('delete', old.`key`, old.`shop`, old.`email`, old.`phone`, old.`first_name`, old.`last_name`, old.`company`);
END;
--> statement-breakpoint
CREATE TRIGGER `contacts_search_update` AFTER UPDATE OF `email`, `phone`, `first_name`, `last_name`, `company` ON `contacts` WHEN (old.`email`, old.`phone`, old.`first_name`, old.`last_name`, old.`company`) IS NOT (new.`email`, new.`phone`, new.`first_name`, new.`last_name`, new.`company`) BEGIN
	INSERT INTO `contacts_search`(`contacts_search`, `rowid`, `shop`, `email`, `phone`, `first_name`, `last_name`, `company`) VALUES ('delete', old.`key`, old.`shop`, old.`email`, old.`phone`, old.`first_name`, old.`last_name`, old.`company`);
	INSERT INTO `contacts_search`(`rowid`, `shop`, `email`, `phone`, `first_name`, `last_name`, `company`) VALUES (new.`key`, new.`shop`, new.`email`, new.`phone`, new.`first_name`, new.`last_name`, new.`company`);
END;
