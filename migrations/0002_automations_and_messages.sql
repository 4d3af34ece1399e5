CREATE TABLE `recipe_templates` (
	`shop` integer NOT NULL,
	`recipe` text NOT NULL,
	`part` text NOT NULL,
	`language` text NOT NULL,
	`template` text NOT NULL,
	PRIMARY KEY(`shop`, `recipe`, `part`, `language`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `automation_timers` (
	`automation` integer NOT NULL,
	`trigger` integer NOT NULL,
	`shop` integer NOT NULL,
	`due_at` integer NOT NULL,
	`cursor` text,
	PRIMARY KEY(`automation`, `trigger`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `automation_timers_due` ON `automation_timers` (`shop`,`due_at`);--> statement-breakpoint
CREATE TABLE `automation_versions` (
	`automation` integer NOT NULL,
	`version` integer NOT NULL,
	`definition` text NOT NULL,
	`pins` text DEFAULT '{}' NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`automation`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `automation_watches` (
	`shop` integer NOT NULL,
	`what` text NOT NULL,
	`automation` integer NOT NULL,
	`needle` text DEFAULT '' NOT NULL,
	PRIMARY KEY(`shop`, `what`, `automation`, `needle`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `automation_watches_automation` ON `automation_watches` (`automation`);--> statement-breakpoint
CREATE TABLE `automations` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`state` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`activated_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `automations_id_unique` ON `automations` (`id`);--> statement-breakpoint
CREATE INDEX `automations_shop` ON `automations` (`shop`);--> statement-breakpoint
CREATE TABLE `run_steps` (
	`run` integer NOT NULL,
	`visit` integer NOT NULL,
	`step` text NOT NULL,
	`outcome` text NOT NULL,
	`detail` text,
	`scheduled_at` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`run`, `visit`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `runs` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`automation` integer NOT NULL,
	`version` integer NOT NULL,
	`kind` text NOT NULL,
	`subject` integer NOT NULL,
	`entry_key` text NOT NULL,
	`parallel` text DEFAULT '' NOT NULL,
	`state` text NOT NULL,
	`step` text,
	`visit` integer DEFAULT 1 NOT NULL,
	`due_at` integer,
	`lease_until` integer,
	`held_at` integer,
	`arrived_at` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`error` text,
	`reason` text,
	`data` text DEFAULT '{}' NOT NULL,
	`signals` text DEFAULT '{}' NOT NULL,
	`entered_at` integer NOT NULL,
	`ended_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `runs_id_unique` ON `runs` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `runs_entry` ON `runs` (`automation`,`kind`,`subject`,`entry_key`);--> statement-breakpoint
CREATE INDEX `runs_due` ON `runs` (`shop`,`due_at`) WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX `runs_subject` ON `runs` (`subject`,`kind`) WHERE ended_at is null;--> statement-breakpoint
CREATE INDEX `runs_automation` ON `runs` (`automation`);--> statement-breakpoint
CREATE TABLE `score_history` (
	`contact` integer NOT NULL,
	`at` integer NOT NULL,
	`natural_key` text NOT NULL,
	`shop` integer NOT NULL,
	`points` integer NOT NULL,
	PRIMARY KEY(`contact`, `at`, `natural_key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `score_history_shop` ON `score_history` (`shop`);--> statement-breakpoint
CREATE TABLE `campaigns` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`channel` text NOT NULL,
	`state` text NOT NULL,
	`definition` text NOT NULL,
	`pins` text,
	`due_at` integer,
	`paused_at` integer,
	`started_at` integer,
	`winner` text,
	`winner_at` integer,
	`job` text,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `campaigns_id_unique` ON `campaigns` (`id`);--> statement-breakpoint
CREATE INDEX `campaigns_shop` ON `campaigns` (`shop`);--> statement-breakpoint
CREATE INDEX `campaigns_due` ON `campaigns` (`shop`,`due_at`) WHERE due_at is not null;--> statement-breakpoint
CREATE TABLE `exports` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`state` text NOT NULL,
	`format` text NOT NULL,
	`segment` integer,
	`list` integer,
	`of` text,
	`phase` text DEFAULT 'contacts' NOT NULL,
	`after` integer DEFAULT 0 NOT NULL,
	`fields` text DEFAULT '[]' NOT NULL,
	`rows` integer DEFAULT 0 NOT NULL,
	`bytes` integer DEFAULT 0 NOT NULL,
	`pieces` integer DEFAULT 0 NOT NULL,
	`job` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`expires_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `exports_id_unique` ON `exports` (`id`);--> statement-breakpoint
CREATE INDEX `exports_shop` ON `exports` (`shop`);--> statement-breakpoint
CREATE TABLE `file_pieces` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`shop` integer NOT NULL,
	`owner` text NOT NULL,
	`part` integer NOT NULL,
	`piece` integer NOT NULL,
	`bytes` integer NOT NULL,
	`last` integer NOT NULL,
	`data` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `file_pieces_owner` ON `file_pieces` (`owner`,`part`,`piece`);--> statement-breakpoint
CREATE INDEX `file_pieces_shop` ON `file_pieces` (`shop`);--> statement-breakpoint
CREATE TABLE `import_errors` (
	`shop` integer NOT NULL,
	`import` integer NOT NULL,
	`row` integer NOT NULL,
	`no` integer NOT NULL,
	`column` text NOT NULL,
	`detail` text NOT NULL,
	`fatal` integer NOT NULL,
	PRIMARY KEY(`shop`, `import`, `row`, `no`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `imports` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`state` text NOT NULL,
	`format` text NOT NULL,
	`options` text NOT NULL,
	`layout` text,
	`bytes` integer DEFAULT 0 NOT NULL,
	`offset` integer DEFAULT 0 NOT NULL,
	`counts` text DEFAULT '{}' NOT NULL,
	`job` text,
	`error` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `imports_id_unique` ON `imports` (`id`);--> statement-breakpoint
CREATE INDEX `imports_shop` ON `imports` (`shop`);--> statement-breakpoint
CREATE TABLE `installation` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text,
	`sealed` text
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`natural_key` text NOT NULL,
	`kind` text NOT NULL,
	`channel` text NOT NULL,
	`class` text NOT NULL,
	`contact` integer,
	`run` integer,
	`automation` integer,
	`step` text,
	`campaign` integer,
	`variant` text,
	`template` integer,
	`template_version` integer,
	`data` text DEFAULT '{}' NOT NULL,
	`recipient` text,
	`state` text NOT NULL,
	`reason` text,
	`due_at` integer NOT NULL,
	`lease_until` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`called_at` integer,
	`sender` integer,
	`provider` text,
	`provider_id` text,
	`address_hash` text,
	`segments` integer,
	`created_at` integer NOT NULL,
	`sent_at` integer,
	`delivered_at` integer,
	`opened_at` integer,
	`machine_opened_at` integer,
	`clicked_at` integer,
	`replied_at` integer,
	`bounced_at` integer,
	`complained_at` integer,
	`unsubscribed_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `deliveries_id_unique` ON `deliveries` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `deliveries_natural` ON `deliveries` (`shop`,`natural_key`);--> statement-breakpoint
CREATE INDEX `deliveries_shop` ON `deliveries` (`shop`);--> statement-breakpoint
CREATE INDEX `deliveries_failed` ON `deliveries` (`shop`,`state`) WHERE state in ('failed', 'unknown');--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`shop`,`due_at`) WHERE state in ('queued', 'sending');--> statement-breakpoint
CREATE INDEX `deliveries_contact` ON `deliveries` (`contact`) WHERE contact is not null;--> statement-breakpoint
CREATE INDEX `deliveries_automation` ON `deliveries` (`automation`) WHERE automation is not null;--> statement-breakpoint
CREATE INDEX `deliveries_campaign` ON `deliveries` (`campaign`,`state`) WHERE campaign is not null;--> statement-breakpoint
CREATE INDEX `deliveries_address` ON `deliveries` (`shop`,`address_hash`) WHERE channel <> 'email';--> statement-breakpoint
CREATE INDEX `deliveries_provider` ON `deliveries` (`shop`,`provider_id`) WHERE provider_id is not null;--> statement-breakpoint
CREATE TABLE `delivery_bodies` (
	`delivery` integer PRIMARY KEY NOT NULL,
	`shop` integer NOT NULL,
	`subject` text,
	`html` text,
	`text` text NOT NULL,
	`links` text DEFAULT '[]' NOT NULL,
	`headers` text DEFAULT '{}' NOT NULL,
	`template` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `delivery_bodies_kept` ON `delivery_bodies` (`shop`,`at`) WHERE text <> '';--> statement-breakpoint
CREATE TABLE `delivery_events` (
	`delivery` integer NOT NULL,
	`type` text NOT NULL,
	`natural_key` text NOT NULL,
	`shop` integer NOT NULL,
	`at` integer NOT NULL,
	`machine` integer NOT NULL,
	`link` integer,
	PRIMARY KEY(`delivery`, `type`, `natural_key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `opt_ins` (
	`shop` integer NOT NULL,
	`channel` text NOT NULL,
	`hash` text NOT NULL,
	`sent` integer NOT NULL,
	`last_at` integer NOT NULL,
	`delivery` integer NOT NULL,
	PRIMARY KEY(`shop`, `channel`, `hash`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `order_credits` (
	`shop` integer NOT NULL,
	`order` integer NOT NULL,
	`delivery` integer NOT NULL,
	`touch` text NOT NULL,
	`touched_at` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`shop`, `order`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `order_credits_delivery` ON `order_credits` (`delivery`);--> statement-breakpoint
CREATE TABLE `sender_minutes` (
	`shop` integer NOT NULL,
	`sender` integer NOT NULL,
	`minute` integer NOT NULL,
	`count` integer NOT NULL,
	PRIMARY KEY(`shop`, `sender`, `minute`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `rfm_bounds` (
	`shop` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`recency` text NOT NULL,
	`frequency` text NOT NULL,
	`monetary` text NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `senders` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`channel` text NOT NULL,
	`provider` text NOT NULL,
	`name` text NOT NULL,
	`from_address` text NOT NULL,
	`from_name` text,
	`reply_to` text,
	`postal_address` text,
	`classes` text NOT NULL,
	`is_default` integer NOT NULL,
	`base_url` text,
	`dkim_selectors` text DEFAULT '[]' NOT NULL,
	`credentials` text,
	`credential_names` text DEFAULT '[]' NOT NULL,
	`per_minute` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `senders_id_unique` ON `senders` (`id`);--> statement-breakpoint
CREATE INDEX `senders_shop` ON `senders` (`shop`);--> statement-breakpoint
CREATE UNIQUE INDEX `senders_default` ON `senders` (`shop`,`channel`) WHERE is_default = 1;--> statement-breakpoint
CREATE TABLE `suppressions` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`channel` text NOT NULL,
	`hash` text NOT NULL,
	`class` text NOT NULL,
	`reason` text NOT NULL,
	`address` text,
	`source` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `suppressions_id_unique` ON `suppressions` (`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `suppressions_address` ON `suppressions` (`shop`,`channel`,`hash`,`reason`);--> statement-breakpoint
CREATE INDEX `suppressions_shop` ON `suppressions` (`shop`);--> statement-breakpoint
CREATE TABLE `template_versions` (
	`template` integer NOT NULL,
	`version` integer NOT NULL,
	`shop` integer NOT NULL,
	`content` text NOT NULL,
	`compiled` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`template`, `version`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `templates` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`shop` integer NOT NULL,
	`name` text NOT NULL,
	`channel` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`deleted_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `templates_id_unique` ON `templates` (`id`);--> statement-breakpoint
CREATE INDEX `templates_shop` ON `templates` (`shop`);--> statement-breakpoint
DROP INDEX `lifecycle_history_contact`;--> statement-breakpoint
CREATE INDEX `lifecycle_history_contact` ON `lifecycle_history` (`contact`,`at`,`stage`,`status`);--> statement-breakpoint
DROP INDEX `visitors_anonymous`;--> statement-breakpoint
ALTER TABLE `visitors` ADD `cell` integer;--> statement-breakpoint
ALTER TABLE `visitors` ADD `timezone` text;--> statement-breakpoint
ALTER TABLE `visitors` ADD `language` text;--> statement-breakpoint
ALTER TABLE `visitors` ADD `visit_seconds` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `visitors_linked` ON `visitors` (`shop`,`key`,`contact`) WHERE contact is not null;--> statement-breakpoint
CREATE INDEX `visitors_anonymous` ON `visitors` (`shop`,`contact`,`channel`) WHERE contact is null;--> statement-breakpoint
ALTER TABLE `orders` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `orders` ADD `delivered_at` integer;--> statement-breakpoint
CREATE INDEX `orders_counted` ON `orders` (`shop`,`contact`,`placed_at`,`original_total`,`total`,`currency`,`test`,`cancelled_at`) WHERE contact is not null and test = 0 and cancelled_at is null;--> statement-breakpoint
CREATE INDEX `orders_counted_placed` ON `orders` (`shop`,`placed_at`,`contact`,`test`,`cancelled_at`) WHERE test = 0 and cancelled_at is null;--> statement-breakpoint
ALTER TABLE `products` ADD `stock` integer;--> statement-breakpoint
ALTER TABLE `products` ADD `tracks_stock` integer;--> statement-breakpoint
ALTER TABLE `products` ADD `oversells` integer;--> statement-breakpoint
ALTER TABLE `segment_watches` ADD `needle` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `segments` ADD `refilled_at` integer;--> statement-breakpoint
ALTER TABLE `privacy_requests` ADD `event_id` text;--> statement-breakpoint
ALTER TABLE `privacy_requests` ADD `digest` text;--> statement-breakpoint
ALTER TABLE `privacy_requests` ADD `held_until` integer;--> statement-breakpoint
CREATE INDEX `privacy_requests_held` ON `privacy_requests` (`held_until`) WHERE held_until is not null;--> statement-breakpoint
CREATE INDEX `carts_bought` ON `carts` (`shop`,`purchased_at`,`contact`) WHERE purchased_by = 'browser';--> statement-breakpoint
CREATE INDEX `order_items_product` ON `order_items` (`product_id`);
--> statement-breakpoint
DROP TRIGGER `segments_visitors_update`;
--> statement-breakpoint
CREATE TRIGGER `segments_visitors_update` AFTER UPDATE OF `country`, `region`, `city`, `cell`, `timezone`, `language`, `visits`, `visit_seconds`, `page_views`, `first_seen_at`, `last_seen_at`, `first_touch`, `last_touch`, `device` ON `visitors` WHEN EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = new.`shop` AND `what` IN (iif(old.`country` IS NOT new.`country` OR old.`region` IS NOT new.`region` OR old.`city` IS NOT new.`city` OR old.`cell` IS NOT new.`cell` OR old.`timezone` IS NOT new.`timezone` OR old.`language` IS NOT new.`language`, iif(new.`contact` IS NULL, 'visitor:place', 'browser:place'), NULL), iif(old.`visits` IS NOT new.`visits`, iif(new.`contact` IS NULL, 'visitor:visits', 'browser:visits'), NULL), iif(old.`visit_seconds` IS NOT new.`visit_seconds`, iif(new.`contact` IS NULL, 'visitor:time', 'browser:time'), NULL), iif(old.`page_views` IS NOT new.`page_views`, iif(new.`contact` IS NULL, 'visitor:pages', 'browser:pages'), NULL), iif(old.`first_seen_at` IS NOT new.`first_seen_at` OR old.`last_seen_at` IS NOT new.`last_seen_at`, iif(new.`contact` IS NULL, 'visitor:seen', 'browser:seen'), NULL), iif(old.`first_touch` IS NOT new.`first_touch` OR old.`last_touch` IS NOT new.`last_touch`, iif(new.`contact` IS NULL, 'visitor:touch', 'browser:touch'), NULL), iif(old.`device` IS NOT new.`device`, iif(new.`contact` IS NULL, 'visitor:device', 'browser:device'), NULL))) BEGIN
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT new.`shop`, iif(new.`contact` IS NULL, 'visitor', 'contact'), coalesce(new.`contact`, new.`key`), random() >> 11 WHERE true ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_contact_tags_insert` AFTER INSERT ON `contact_tags` WHEN new.`removed` = 0 AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('tag_added')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'tag_added', 'contact:' || new.`contact`, 'tag' || ':' || lower(hex(randomblob(10))), json_object('tag', new.`tag`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_contact_tags_update` AFTER UPDATE OF `removed` ON `contact_tags` WHEN old.`removed` <> new.`removed` AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` = iif(new.`removed` = 0, 'tag_added', 'tag_removed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, iif(new.`removed` = 0, 'tag_added', 'tag_removed'), 'contact:' || new.`contact`, 'tag' || ':' || lower(hex(randomblob(10))), json_object('tag', new.`tag`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_contact_tags_delete` AFTER DELETE ON `contact_tags` WHEN old.`removed` = 0 AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = old.`shop` AND `what` IN ('tag_removed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT old.`shop`, 'tag_removed', 'contact:' || old.`contact`, 'tag' || ':' || lower(hex(randomblob(10))), json_object('tag', old.`tag`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_consents_insert` AFTER INSERT ON `consents` WHEN EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('consent_changed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'consent_changed', 'contact:' || new.`contact`, 'consent' || ':' || lower(hex(randomblob(10))), json_object('channel', new.`channel`, 'state', new.`state`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_consents_update` AFTER UPDATE OF `state` ON `consents` WHEN old.`state` <> new.`state` AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('consent_changed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'consent_changed', 'contact:' || new.`contact`, 'consent' || ':' || lower(hex(randomblob(10))), json_object('channel', new.`channel`, 'state', new.`state`, 'stateBefore', old.`state`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_contacts_update` AFTER UPDATE OF `email`, `phone`, `first_name`, `last_name`, `company`, `line1`, `line2`, `city`, `province`, `country`, `zip`, `tax_exempt`, `account_state`, `fields`, `score`, `orders_count`, `orders_total`, `deleted_at` ON `contacts` WHEN (old.`email`, old.`phone`, old.`first_name`, old.`last_name`, old.`company`, old.`line1`, old.`line2`, old.`city`, old.`province`, old.`country`, old.`zip`, old.`tax_exempt`, old.`account_state`, old.`fields`, old.`score`, old.`orders_count`, old.`orders_total`, old.`deleted_at`) IS NOT (new.`email`, new.`phone`, new.`first_name`, new.`last_name`, new.`company`, new.`line1`, new.`line2`, new.`city`, new.`province`, new.`country`, new.`zip`, new.`tax_exempt`, new.`account_state`, new.`fields`, new.`score`, new.`orders_count`, new.`orders_total`, new.`deleted_at`) AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('contact_changed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'contact_changed', 'contact:' || new.`key`, 'contact' || ':' || lower(hex(randomblob(10))), json_object('changes', json((SELECT json_group_object(`k`, json(`v`)) FROM (SELECT 'score' AS `k`, json_array(old.`score`, new.`score`) AS `v` WHERE old.`score` <> new.`score` UNION ALL SELECT 'fields.' || f.`key`, json_array(json_extract(old.`fields`, '$."' || f.`key` || '"'), json_extract(new.`fields`, '$."' || f.`key` || '"')) FROM (SELECT `key` FROM json_each(new.`fields`) UNION SELECT `key` FROM json_each(old.`fields`)) f WHERE old.`fields` <> new.`fields` AND json_extract(old.`fields`, '$."' || f.`key` || '"') IS NOT json_extract(new.`fields`, '$."' || f.`key` || '"'))))), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_contacts_lifecycle` AFTER UPDATE OF `stage`, `status` ON `contacts` WHEN (old.`stage`, old.`status`) IS NOT (new.`stage`, new.`status`) AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('lifecycle_changed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'lifecycle_changed', 'contact:' || new.`key`, 'lifecycle' || ':' || lower(hex(randomblob(10))), json_object('stage', new.`stage`, 'status', new.`status`, 'stageBefore', old.`stage`, 'statusBefore', old.`status`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_list_members_insert` AFTER INSERT ON `list_members` WHEN EXISTS (SELECT 1 FROM `automation_watches` w JOIN `lists` l ON l.`shop` = w.`shop` WHERE l.`key` = new.`list` AND w.`what` = 'list_added') BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT l.`shop`, 'list_added', new.`kind` || ':' || new.`subject`, 'list' || ':' || lower(hex(randomblob(10))), json_object('listId', l.`id`), 0, 0 FROM `lists` l WHERE l.`key` = new.`list`;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_list_members_delete` AFTER DELETE ON `list_members` WHEN EXISTS (SELECT 1 FROM `automation_watches` w JOIN `lists` l ON l.`shop` = w.`shop` WHERE l.`key` = old.`list` AND w.`what` = 'list_removed') BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT l.`shop`, 'list_removed', old.`kind` || ':' || old.`subject`, 'list' || ':' || lower(hex(randomblob(10))), json_object('listId', l.`id`), 0, 0 FROM `lists` l WHERE l.`key` = old.`list`;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_orders_update` AFTER UPDATE OF `state`, `financial_status`, `fulfillment_status`, `shipping_method`, `total` ON `orders` WHEN new.`test` = 0 AND (old.`state`, old.`financial_status`, old.`fulfillment_status`, old.`shipping_method`, old.`total`) IS NOT (new.`state`, new.`financial_status`, new.`fulfillment_status`, new.`shipping_method`, new.`total`) AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('order_updated')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'order_updated', coalesce('contact:' || new.`contact`, 'visitor:' || new.`visitor`, 'order:' || new.`key`), 'order' || ':' || lower(hex(randomblob(10))), json_object('orderId', new.`id`, 'changes', json((SELECT json_group_object(`k`, json(`v`)) FROM (SELECT 'state' AS `k`, json_array(old.`state`, new.`state`) AS `v` WHERE old.`state` IS NOT new.`state` UNION ALL SELECT 'financial_status' AS `k`, json_array(old.`financial_status`, new.`financial_status`) AS `v` WHERE old.`financial_status` IS NOT new.`financial_status` UNION ALL SELECT 'fulfillment_status' AS `k`, json_array(old.`fulfillment_status`, new.`fulfillment_status`) AS `v` WHERE old.`fulfillment_status` IS NOT new.`fulfillment_status` UNION ALL SELECT 'shipping_method' AS `k`, json_array(old.`shipping_method`, new.`shipping_method`) AS `v` WHERE old.`shipping_method` IS NOT new.`shipping_method` UNION ALL SELECT 'total' AS `k`, json_array(old.`total`, new.`total`) AS `v` WHERE old.`total` IS NOT new.`total`)))), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_products_price` AFTER UPDATE OF `price` ON `products` WHEN new.`price` < old.`price` AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('product_changed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'product_changed', 'product:' || new.`external_id`, 'product' || ':' || lower(hex(randomblob(10))), json_object('change', 'price_drop', 'productId', new.`external_id`, 'from', old.`price`, 'to', new.`price`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_products_stock` AFTER UPDATE OF `stock` ON `products` WHEN new.`stock` <> old.`stock` AND new.`tracks_stock` IS NOT 0 AND EXISTS (SELECT 1 FROM `automation_watches` WHERE `shop` = new.`shop` AND `what` IN ('product_changed')) BEGIN
	INSERT INTO `outbox` (`shop`, `type`, `subject`, `natural_key`, `data`, `at`, `next_attempt_at`) SELECT new.`shop`, 'product_changed', 'product:' || new.`external_id`, 'product' || ':' || lower(hex(randomblob(10))), json_object('change', 'stock', 'productId', new.`external_id`, 'from', old.`stock`, 'to', new.`stock`), 0, 0;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_visitors_linked` AFTER UPDATE OF `contact` ON `visitors` WHEN old.`contact` IS NOT new.`contact` AND new.`contact` IS NOT NULL BEGIN
	UPDATE OR IGNORE `runs` SET `kind` = 'contact', `subject` = new.`contact` WHERE `automation` IN (SELECT `key` FROM `automations` WHERE `shop` = new.`shop`) AND `kind` = 'visitor' AND `subject` = new.`key`;
	UPDATE `runs` SET `state` = 'exited', `reason` = 'the contact is in it already', `step` = NULL, `due_at` = NULL, `held_at` = NULL, `lease_until` = NULL, `ended_at` = new.`linked_at` WHERE `ended_at` IS NULL AND `kind` = 'visitor' AND `subject` = new.`key`;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_contacts_delete` AFTER DELETE ON `contacts` BEGIN
	DELETE FROM `run_steps` WHERE `run` IN (SELECT `key` FROM `runs` WHERE `automation` IN (SELECT `key` FROM `automations` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`);
	DELETE FROM `runs` WHERE `automation` IN (SELECT `key` FROM `automations` WHERE `shop` = old.`shop`) AND `kind` = 'contact' AND `subject` = old.`key`;
	DELETE FROM `score_history` WHERE `contact` = old.`key`;
END;
--> statement-breakpoint
CREATE TRIGGER `automations_visitors_delete` AFTER DELETE ON `visitors` BEGIN
	DELETE FROM `run_steps` WHERE `run` IN (SELECT `key` FROM `runs` WHERE `automation` IN (SELECT `key` FROM `automations` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`);
	DELETE FROM `runs` WHERE `automation` IN (SELECT `key` FROM `automations` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
END;

--> statement-breakpoint
CREATE TRIGGER `lists_visitors_linked` AFTER UPDATE OF `contact` ON `visitors` WHEN old.`contact` IS NULL AND new.`contact` IS NOT NULL BEGIN
	INSERT INTO `list_members` (`list`, `kind`, `subject`, `added_at`) SELECT `list`, 'contact', new.`contact`, `added_at` FROM `list_members` WHERE `list` IN (SELECT `key` FROM `lists` WHERE `shop` = new.`shop`) AND `kind` = 'visitor' AND `subject` = new.`key` ON CONFLICT DO NOTHING;
	DELETE FROM `list_members` WHERE `list` IN (SELECT `key` FROM `lists` WHERE `shop` = new.`shop`) AND `kind` = 'visitor' AND `subject` = new.`key`;
END;
--> statement-breakpoint
DROP TRIGGER `segments_visitors_delete`;
--> statement-breakpoint
CREATE TRIGGER `segments_visitors_delete` AFTER DELETE ON `visitors` BEGIN
	UPDATE `segment_turns` SET `turn` = `turn` + 1 WHERE `shop` = old.`shop`;
	UPDATE `segments` SET `size` = `size` - 1 WHERE `key` IN (SELECT `segment` FROM `segment_members` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`);
	DELETE FROM `segment_members` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `segment_rechecks` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `segment_history` WHERE `segment` IN (SELECT `key` FROM `segments` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `list_members` WHERE `list` IN (SELECT `key` FROM `lists` WHERE `shop` = old.`shop`) AND `kind` = 'visitor' AND `subject` = old.`key`;
	DELETE FROM `segment_dirty` WHERE `shop` = old.`shop` AND `kind` = 'visitor' AND `subject` = old.`key`;
	INSERT INTO `segment_dirty` (`shop`, `kind`, `subject`, `stamp`) SELECT old.`shop`, 'contact', old.`contact`, random() >> 11 WHERE EXISTS (SELECT 1 FROM `contacts` WHERE `key` = old.`contact`) AND EXISTS (SELECT 1 FROM `segment_watches` WHERE `shop` = old.`shop`) ON CONFLICT DO UPDATE SET `stamp` = excluded.`stamp`;
END;
