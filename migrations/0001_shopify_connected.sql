CREATE TABLE `endpoint_deliveries` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`endpoint` integer NOT NULL,
	`type` text NOT NULL,
	`natural_key` text NOT NULL,
	`body` text NOT NULL,
	`state` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at` integer NOT NULL,
	`status` integer,
	`error` text,
	`created_at` integer NOT NULL,
	`done_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `endpoint_deliveries_id_unique` ON `endpoint_deliveries` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `endpoint_deliveries_event` ON `endpoint_deliveries` (`endpoint`,`type`,`natural_key`);--> statement-breakpoint
CREATE INDEX `endpoint_deliveries_log` ON `endpoint_deliveries` (`endpoint`);--> statement-breakpoint
CREATE INDEX `endpoint_deliveries_pending` ON `endpoint_deliveries` (`shop`,`next_attempt_at`) WHERE state = 'pending';--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`url` text NOT NULL,
	`description` text,
	`types` text DEFAULT '[]' NOT NULL,
	`secret` text NOT NULL,
	`previous_secret` text,
	`previous_until` integer,
	`state` text NOT NULL,
	`failing_since` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_endpoints_id_unique` ON `webhook_endpoints` (`id`);--> statement-breakpoint
CREATE INDEX `webhook_endpoints_shop` ON `webhook_endpoints` (`shop`);--> statement-breakpoint
CREATE TABLE `fields` (
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`id` text NOT NULL,
	`label` text NOT NULL,
	`type` text NOT NULL,
	`options` text DEFAULT '[]' NOT NULL,
	`system` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `fields_id_unique` ON `fields` (`id`);--> statement-breakpoint
CREATE TABLE `alerts` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` text DEFAULT '' NOT NULL,
	`data` text DEFAULT '{}' NOT NULL,
	`opened_at` integer NOT NULL,
	`closed_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_id_unique` ON `alerts` (`id`);--> statement-breakpoint
CREATE INDEX `alerts_shop` ON `alerts` (`shop`);--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_open` ON `alerts` (`shop`,`kind`,`subject`) WHERE closed_at is null;--> statement-breakpoint
CREATE TABLE `intake_hours` (
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`hour` integer NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`shop`, `kind`, `hour`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `lifecycle_stages` (
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`label` text NOT NULL,
	`position` integer NOT NULL,
	`system` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `name`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `privacy_requests` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`webhook_id` text NOT NULL,
	`state` text NOT NULL,
	`receipt` text DEFAULT '{}' NOT NULL,
	`received_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	`done_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `privacy_requests_id_unique` ON `privacy_requests` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `privacy_requests_webhook` ON `privacy_requests` (`shop`,`webhook_id`);--> statement-breakpoint
CREATE INDEX `privacy_requests_shop` ON `privacy_requests` (`shop`);--> statement-breakpoint
CREATE TABLE `shopify_connections` (
	`shop` integer PRIMARY KEY NOT NULL,
	`method` text NOT NULL,
	`client_id` text,
	`scopes` text DEFAULT '[]' NOT NULL,
	`address` text NOT NULL,
	`checked_at` integer,
	`problem` text,
	`sealed_with` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `shopify_subscriptions` (
	`shop` integer NOT NULL,
	`topic` text NOT NULL,
	`external_id` text,
	`state` text NOT NULL,
	`problem` text,
	`repaired_at` integer,
	`checked_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `topic`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sync_streams` (
	`shop` integer NOT NULL,
	`resource` text NOT NULL,
	`stretch` text NOT NULL,
	`job` integer,
	`state` text NOT NULL,
	`operation` text,
	`file_url` text,
	`offset` integer DEFAULT 0 NOT NULL,
	`done` integer DEFAULT 0 NOT NULL,
	`total` integer,
	`skipped` integer DEFAULT 0 NOT NULL,
	`watermark` integer,
	`error` text,
	`attempts` integer DEFAULT 0 NOT NULL,
	`started_at` integer,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `resource`, `stretch`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `storefront_seen` (
	`shop` integer NOT NULL,
	`part` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`shop`, `part`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tag_rules` (
	`shop` integer NOT NULL,
	`tag` text NOT NULL,
	`becomes` text,
	`label` text,
	`at` integer NOT NULL,
	PRIMARY KEY(`shop`, `tag`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `tag_rules_becomes` ON `tag_rules` (`shop`,`becomes`);--> statement-breakpoint
CREATE TABLE `tags` (
	`shop` integer NOT NULL,
	`tag` text NOT NULL,
	`id` text NOT NULL,
	`label` text NOT NULL,
	`contacts` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`shop`, `tag`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `tags_id_unique` ON `tags` (`id`);--> statement-breakpoint
DROP INDEX `contacts_stage`;--> statement-breakpoint
DROP INDEX `contacts_status`;--> statement-breakpoint
ALTER TABLE `contacts` ADD `orders_total` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `contacts_stage` ON `contacts` (`shop`,`stage`,`deleted_at`) WHERE deleted_at is null;--> statement-breakpoint
CREATE INDEX `contacts_status` ON `contacts` (`shop`,`status`,`deleted_at`) WHERE deleted_at is null and status is not null;--> statement-breakpoint
ALTER TABLE `consents` ADD `source` text;--> statement-breakpoint
ALTER TABLE `orders` ADD `location_id` text;--> statement-breakpoint
ALTER TABLE `orders` ADD `location_name` text;--> statement-breakpoint
ALTER TABLE `orders` ADD `staff_id` text;--> statement-breakpoint
ALTER TABLE `products` ADD `description` text;--> statement-breakpoint
ALTER TABLE `products` ADD `price` integer;--> statement-breakpoint
ALTER TABLE `products` ADD `status` text;--> statement-breakpoint
ALTER TABLE `products` ADD `images` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `products` ADD `collections` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `shops` ADD `connected_at` integer;--> statement-breakpoint
ALTER TABLE `shops` ADD `app_secret` text;--> statement-breakpoint
ALTER TABLE `shops` DROP COLUMN `access_token`;--> statement-breakpoint
CREATE INDEX `lifecycle_history_shop` ON `lifecycle_history` (`shop`,`at`);
--> statement-breakpoint
CREATE TRIGGER `contact_tags_count_insert` AFTER INSERT ON `contact_tags` WHEN new.`removed` = 0 BEGIN
	INSERT INTO `tags` (`shop`, `tag`, `id`, `label`, `contacts`, `created_at`) VALUES (new.`shop`, new.`tag`, 'tag_' || (SELECT group_concat(substr('0123456789abcdefghjkmnpqrstvwxyz', ((new.`at` >> (5 * (9 - `value`))) & 31) + 1, 1), '') FROM json_each('[0,1,2,3,4,5,6,7,8,9]')) || lower(hex(randomblob(8))), new.`label`, 0, new.`at`) ON CONFLICT DO NOTHING;
	UPDATE `tags` SET `contacts` = `contacts` + 1 WHERE `shop` = new.`shop` AND `tag` = new.`tag` AND EXISTS (SELECT 1 FROM `contacts` WHERE `key` = new.`contact` AND `deleted_at` IS NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `contact_tags_count_update` AFTER UPDATE OF `removed` ON `contact_tags` WHEN old.`removed` <> new.`removed` BEGIN
	INSERT INTO `tags` (`shop`, `tag`, `id`, `label`, `contacts`, `created_at`) SELECT new.`shop`, new.`tag`, 'tag_' || (SELECT group_concat(substr('0123456789abcdefghjkmnpqrstvwxyz', ((new.`at` >> (5 * (9 - `value`))) & 31) + 1, 1), '') FROM json_each('[0,1,2,3,4,5,6,7,8,9]')) || lower(hex(randomblob(8))), new.`label`, 0, new.`at` WHERE new.`removed` = 0 ON CONFLICT DO NOTHING;
	UPDATE `tags` SET `contacts` = `contacts` + (new.`removed` = 0) - (old.`removed` = 0) WHERE `shop` = new.`shop` AND `tag` = new.`tag` AND EXISTS (SELECT 1 FROM `contacts` WHERE `key` = new.`contact` AND `deleted_at` IS NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `contact_tags_count_delete` AFTER DELETE ON `contact_tags` WHEN old.`removed` = 0 BEGIN
	UPDATE `tags` SET `contacts` = `contacts` - 1 WHERE `shop` = old.`shop` AND `tag` = old.`tag` AND EXISTS (SELECT 1 FROM `contacts` WHERE `key` = old.`contact` AND `deleted_at` IS NULL);
END;
--> statement-breakpoint
CREATE TRIGGER `contacts_trash_tags` AFTER UPDATE OF `deleted_at` ON `contacts` WHEN (old.`deleted_at` IS NULL) <> (new.`deleted_at` IS NULL) BEGIN
	UPDATE `tags` SET `contacts` = `contacts` + CASE WHEN new.`deleted_at` IS NULL THEN 1 ELSE -1 END WHERE `shop` = new.`shop` AND `tag` IN (SELECT `tag` FROM `contact_tags` WHERE `contact` = new.`key` AND `removed` = 0);
END;
--> statement-breakpoint
INSERT INTO `tags` (`shop`, `tag`, `id`, `label`, `contacts`, `created_at`) SELECT g.`shop`, g.`tag`, 'tag_' || (SELECT group_concat(substr('0123456789abcdefghjkmnpqrstvwxyz', ((g.`at` >> (5 * (9 - `value`))) & 31) + 1, 1), '') FROM json_each('[0,1,2,3,4,5,6,7,8,9]')) || lower(hex(randomblob(8))), g.`label`, g.`live`, g.`at` FROM (SELECT t.`shop`, t.`tag`, min(t.`label`) AS `label`, sum(c.`deleted_at` IS NULL) AS `live`, min(t.`at`) AS `at` FROM `contact_tags` t JOIN `contacts` c ON c.`key` = t.`contact` WHERE t.`removed` = 0 GROUP BY t.`shop`, t.`tag`) g;
--> statement-breakpoint
UPDATE `contacts` SET `orders_total` = (SELECT coalesce(sum(o.`total`), 0) FROM `orders` o WHERE o.`contact` = `contacts`.`key` AND o.`test` = 0 AND o.`cancelled_at` IS NULL) WHERE `orders_count` > 0;
--> statement-breakpoint
INSERT INTO `lifecycle_stages` (`shop`, `name`, `label`, `position`, `system`, `created_at`, `updated_at`) SELECT s.`key`, j.`value` ->> 0, j.`value` ->> 1, j.`key` + 1, j.`value` ->> 0 = 'lead', s.`created_at`, s.`created_at` FROM `shops` s, json_each('[["subscriber","Subscriber"],["lead","Lead"],["qualified","Sales qualified lead"],["opportunity","Opportunity"]]') j;
--> statement-breakpoint
INSERT INTO `lifecycle_stages` (`shop`, `name`, `label`, `position`, `system`, `created_at`, `updated_at`) SELECT `shop`, `stage`, upper(substr(`stage`, 1, 1)) || replace(substr(`stage`, 2), '_', ' '), 5, 0, min(`created_at`), min(`created_at`) FROM `contacts` WHERE `stage` <> 'customer' GROUP BY `shop`, `stage` ON CONFLICT DO NOTHING;
