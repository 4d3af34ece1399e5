CREATE TABLE `discount_codes` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`pool` integer NOT NULL,
	`code` text NOT NULL,
	`state` text DEFAULT 'new' NOT NULL,
	`creation` text,
	`sent_at` integer,
	`reason` text,
	`natural_key` text,
	`contact` integer,
	`taken_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `discount_codes_code` ON `discount_codes` (`shop`,`code`);--> statement-breakpoint
CREATE UNIQUE INDEX `discount_codes_natural` ON `discount_codes` (`pool`,`natural_key`) WHERE natural_key is not null;--> statement-breakpoint
CREATE INDEX `discount_codes_state` ON `discount_codes` (`pool`,`state`);--> statement-breakpoint
CREATE INDEX `discount_codes_contact` ON `discount_codes` (`contact`) WHERE contact is not null;--> statement-breakpoint
CREATE TABLE `discount_pools` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`discount` text,
	`terms` text,
	`prefix` text NOT NULL,
	`size` integer NOT NULL,
	`low_water` integer NOT NULL,
	`fallback_code` text,
	`ends_at` integer,
	`free` integer DEFAULT 0 NOT NULL,
	`taken` integer DEFAULT 0 NOT NULL,
	`refused` integer DEFAULT 0 NOT NULL,
	`problem` text,
	`detail` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`stopped_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `discount_pools_id_unique` ON `discount_pools` (`id`);--> statement-breakpoint
CREATE INDEX `discount_pools_shop` ON `discount_pools` (`shop`);--> statement-breakpoint
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
CREATE TABLE `list_members` (
	`list` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` integer NOT NULL,
	`added_at` integer NOT NULL,
	PRIMARY KEY(`list`, `kind`, `subject`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `lists` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`size` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `lists_id_unique` ON `lists` (`id`);--> statement-breakpoint
CREATE INDEX `lists_shop` ON `lists` (`shop`);--> statement-breakpoint
CREATE TABLE `segment_dirty` (
	`shop` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` integer NOT NULL,
	`stamp` integer NOT NULL,
	PRIMARY KEY(`shop`, `kind`, `subject`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `segment_history` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`segment` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` integer NOT NULL,
	`entered` integer NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `segment_history_segment` ON `segment_history` (`segment`,`key`);--> statement-breakpoint
CREATE INDEX `segment_history_subject` ON `segment_history` (`segment`,`kind`,`subject`);--> statement-breakpoint
CREATE TABLE `segment_members` (
	`segment` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` integer NOT NULL,
	`entered_at` integer NOT NULL,
	PRIMARY KEY(`segment`, `kind`, `subject`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `segment_rechecks` (
	`segment` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` integer NOT NULL,
	`shop` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`segment`, `kind`, `subject`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `segment_rechecks_due` ON `segment_rechecks` (`shop`,`at`);--> statement-breakpoint
CREATE TABLE `segment_sizes` (
	`segment` integer NOT NULL,
	`day` text NOT NULL,
	`size` integer NOT NULL,
	PRIMARY KEY(`segment`, `day`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `segment_turns` (
	`shop` integer PRIMARY KEY NOT NULL,
	`turn` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `segment_watches` (
	`shop` integer NOT NULL,
	`what` text NOT NULL,
	`segment` integer NOT NULL,
	PRIMARY KEY(`shop`, `what`, `segment`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `segment_watches_segment` ON `segment_watches` (`segment`);--> statement-breakpoint
CREATE TABLE `segments` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`audience` text NOT NULL,
	`definition` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`state` text NOT NULL,
	`problem` text,
	`size` integer DEFAULT 0 NOT NULL,
	`filled_kind` text,
	`filled_to` integer,
	`filled_at` integer,
	`announces` integer DEFAULT false NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `segments_id_unique` ON `segments` (`id`);--> statement-breakpoint
CREATE INDEX `segments_shop` ON `segments` (`shop`);--> statement-breakpoint
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
--> statement-breakpoint
CREATE TRIGGER `segments_contacts_insert` AFTER INSERT ON `contacts` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('contact+')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`key`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_contacts_update` AFTER UPDATE ON `contacts` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('contact', iif((old.`deleted_at` IS NULL) <> (new.`deleted_at` IS NULL), 'contact+', 'contact'))) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`key`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_contacts_delete` AFTER DELETE ON `contacts` BEGIN
	UPDATE `segment_turns` SET `turn` = `turn` + 1 WHERE `shop` = old.`shop`;
	UPDATE `segments` SET `size` = `size` - 1 WHERE `key` IN (SELECT `segment` FROM `segment_members` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`);
	DELETE FROM `segment_members` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`;
	DELETE FROM `segment_rechecks` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`;
	DELETE FROM `segment_history` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`;
	DELETE FROM `list_members` WHERE `list` IN (SELECT `key` FROM `lists` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`;
	DELETE FROM `segment_dirty` WHERE `shop` = old.`shop` AND `kind` = 'contact' AND `subject` = old.`key`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_contact_tags_insert` AFTER INSERT ON `contact_tags` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('tag')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_consents_insert` AFTER INSERT ON `consents` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('consent')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_lifecycle_history_insert` AFTER INSERT ON `lifecycle_history` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('lifecycle')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_orders_insert` AFTER INSERT ON `orders` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('order')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(new.`contact` IS NULL, 'visitor', 'contact'), coalesce(new.`contact`, new.`visitor`), random() >> 11 WHERE coalesce(new.`contact`, new.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_carts_insert` AFTER INSERT ON `carts` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('cart')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(new.`contact` IS NULL, 'visitor', 'contact'), coalesce(new.`contact`, new.`visitor`), random() >> 11 WHERE coalesce(new.`contact`, new.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_refunds_insert` AFTER INSERT ON `refunds` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('order')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(o.`contact` IS NULL, 'visitor', 'contact'), coalesce(o.`contact`, o.`visitor`), random() >> 11 FROM `orders` o WHERE o.`shop` = new.`shop` AND o.`origin` IN ('shopify', 'api') AND o.`external_id` = new.`order_external_id` AND coalesce(o.`contact`, o.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_contact_tags_update` AFTER UPDATE ON `contact_tags` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('tag')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_consents_update` AFTER UPDATE ON `consents` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('consent')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_lifecycle_history_update` AFTER UPDATE ON `lifecycle_history` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('lifecycle')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_orders_update` AFTER UPDATE ON `orders` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('order')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(new.`contact` IS NULL, 'visitor', 'contact'), coalesce(new.`contact`, new.`visitor`), random() >> 11 WHERE coalesce(new.`contact`, new.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, iif(old.`contact` IS NULL, 'visitor', 'contact'), coalesce(old.`contact`, old.`visitor`), random() >> 11 WHERE coalesce(old.`contact`, old.`visitor`) IS NOT NULL AND (old.`contact` IS NOT new.`contact` OR old.`visitor` IS NOT new.`visitor`) ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_carts_update` AFTER UPDATE ON `carts` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('cart')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(new.`contact` IS NULL, 'visitor', 'contact'), coalesce(new.`contact`, new.`visitor`), random() >> 11 WHERE coalesce(new.`contact`, new.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, iif(old.`contact` IS NULL, 'visitor', 'contact'), coalesce(old.`contact`, old.`visitor`), random() >> 11 WHERE coalesce(old.`contact`, old.`visitor`) IS NOT NULL AND (old.`contact` IS NOT new.`contact` OR old.`visitor` IS NOT new.`visitor`) ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_contact_tags_delete` AFTER DELETE ON `contact_tags` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = old.`shop` AND `what` IN ('tag')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, 'contact', old.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_consents_delete` AFTER DELETE ON `consents` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = old.`shop` AND `what` IN ('consent')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, 'contact', old.`contact`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_orders_delete` AFTER DELETE ON `orders` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = old.`shop` AND `what` IN ('order')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, iif(old.`contact` IS NULL, 'visitor', 'contact'), coalesce(old.`contact`, old.`visitor`), random() >> 11 WHERE coalesce(old.`contact`, old.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_carts_delete` AFTER DELETE ON `carts` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = old.`shop` AND `what` IN ('cart')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, iif(old.`contact` IS NULL, 'visitor', 'contact'), coalesce(old.`contact`, old.`visitor`), random() >> 11 WHERE coalesce(old.`contact`, old.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_refunds_delete` AFTER DELETE ON `refunds` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = old.`shop` AND `what` IN ('order')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, iif(o.`contact` IS NULL, 'visitor', 'contact'), coalesce(o.`contact`, o.`visitor`), random() >> 11 FROM `orders` o WHERE o.`shop` = old.`shop` AND o.`origin` IN ('shopify', 'api') AND o.`external_id` = old.`order_external_id` AND coalesce(o.`contact`, o.`visitor`) IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_products_insert` AFTER INSERT ON `products` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('product')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'products', 0, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_products_update` AFTER UPDATE OF `category`, `vendor`, `tags`, `collections` ON `products` WHEN (old.`category` IS NOT new.`category` OR old.`vendor` IS NOT new.`vendor` OR old.`tags` <> new.`tags` OR old.`collections` <> new.`collections`) AND EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN ('product')) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'products', 0, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_shops_update` AFTER UPDATE OF `currency`, `timezone` ON `shops` WHEN (old.`currency` <> new.`currency` OR old.`timezone` <> new.`timezone`) AND EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`key`) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`key`, 'shop', 0, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_visitors_insert` AFTER INSERT ON `visitors` WHEN new.`channel` = 'browser' AND new.`contact` IS NULL AND EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` >= 'visitor' AND `what` < 'visitos') BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'visitor', new.`key`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_visitors_linked` AFTER UPDATE OF `contact` ON `visitors` WHEN old.`contact` IS NOT new.`contact` AND EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop`) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'visitor', new.`key`, random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', old.`contact`, random() >> 11 WHERE old.`contact` IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, 'contact', new.`contact`, random() >> 11 WHERE new.`contact` IS NOT NULL ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_visitors_update` AFTER UPDATE OF `country`, `region`, `city`, `visits`, `page_views`, `first_seen_at`, `last_seen_at`, `first_touch`, `last_touch`, `device` ON `visitors` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN (iif(old.`country` IS NOT new.`country` OR old.`region` IS NOT new.`region` OR old.`city` IS NOT new.`city`, iif(new.`contact` IS NULL, 'visitor:place', 'browser:place'), NULL), iif(old.`visits` IS NOT new.`visits`, iif(new.`contact` IS NULL, 'visitor:visits', 'browser:visits'), NULL), iif(old.`page_views` IS NOT new.`page_views`, iif(new.`contact` IS NULL, 'visitor:pages', 'browser:pages'), NULL), iif(old.`first_seen_at` IS NOT new.`first_seen_at` OR old.`last_seen_at` IS NOT new.`last_seen_at`, iif(new.`contact` IS NULL, 'visitor:seen', 'browser:seen'), NULL), iif(old.`first_touch` IS NOT new.`first_touch` OR old.`last_touch` IS NOT new.`last_touch`, iif(new.`contact` IS NULL, 'visitor:touch', 'browser:touch'), NULL), iif(old.`device` IS NOT new.`device`, iif(new.`contact` IS NULL, 'visitor:device', 'browser:device'), NULL))) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(new.`contact` IS NULL, 'visitor', 'contact'), coalesce(new.`contact`, new.`key`), random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_visitors_delete` AFTER DELETE ON `visitors` BEGIN
	UPDATE `segment_turns` SET `turn` = `turn` + 1 WHERE `shop` = old.`shop`;
	UPDATE `segments` SET `size` = `size` - 1 WHERE `key` IN (SELECT `segment` FROM `segment_members` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`);
	DELETE FROM `segment_members` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `segment_rechecks` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `segment_history` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `list_members` WHERE `list` IN (SELECT `key` FROM `lists` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `segment_dirty` WHERE `shop` = old.`shop` AND `kind` = 'visitor' AND `subject` = old.`key`;
END;
--> statement-breakpoint
CREATE TRIGGER `segments_visits_delete` AFTER DELETE ON `visits` WHEN EXISTS (SELECT 1 FROM `visitors` v JOIN `segment_watches` w ON w.`shop` = v.`shop` AND w.`what` >= 'event:' AND w.`what` < 'event;' WHERE v.`key` = old.`visitor`) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT v.`shop`, iif(v.`contact` IS NULL, 'visitor', 'contact'), coalesce(v.`contact`, v.`key`), random() >> 11 FROM `visitors` v WHERE v.`key` = old.`visitor` ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `lists_size_insert` AFTER INSERT ON `list_members` BEGIN
	UPDATE `lists` SET `size` = `size` + 1 WHERE `key` = new.`list`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT l.`shop`, new.`kind`, new.`subject`, random() >> 11 FROM `lists` l WHERE l.`key` = new.`list` AND EXISTS (SELECT 1 FROM `segment_watches` w WHERE w.`shop` = l.`shop` AND w.`what` = 'list:' || l.`id`) ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `lists_size_delete` AFTER DELETE ON `list_members` BEGIN
	UPDATE `lists` SET `size` = `size` - 1 WHERE `key` = old.`list`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT l.`shop`, old.`kind`, old.`subject`, random() >> 11 FROM `lists` l WHERE l.`key` = old.`list` AND EXISTS (SELECT 1 FROM `segment_watches` w WHERE w.`shop` = l.`shop` AND w.`what` = 'list:' || l.`id`) ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `discount_codes_insert` AFTER INSERT ON `discount_codes` WHEN new.`state` IN ('free', 'taken', 'refused') BEGIN
	UPDATE `discount_pools` SET `free` = `free` + (new.`state` = 'free'), `taken` = `taken` + (new.`state` = 'taken'), `refused` = `refused` + (new.`state` = 'refused') WHERE `key` = new.`pool`;
END;
--> statement-breakpoint
CREATE TRIGGER `discount_codes_update` AFTER UPDATE OF `state` ON `discount_codes` WHEN old.`state` IS NOT new.`state` BEGIN
	UPDATE `discount_pools` SET `free` = `free` - (old.`state` = 'free') + (new.`state` = 'free'), `taken` = `taken` - (old.`state` = 'taken') + (new.`state` = 'taken'), `refused` = `refused` - (old.`state` = 'refused') + (new.`state` = 'refused') WHERE `key` = new.`pool`;
END;
--> statement-breakpoint
CREATE TRIGGER `discount_codes_delete` AFTER DELETE ON `discount_codes` WHEN old.`state` IN ('free', 'taken', 'refused') BEGIN
	UPDATE `discount_pools` SET `free` = `free` - (old.`state` = 'free'), `taken` = `taken` - (old.`state` = 'taken'), `refused` = `refused` - (old.`state` = 'refused') WHERE `key` = old.`pool`;
END;
