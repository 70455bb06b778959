-- What each part may do in the database. Written by ./mayfly schema.

-- mayfly_api: bin/api.ts
grant select, insert, delete, update (updated_at) on accounts to mayfly_api;
grant select on acme_directory to mayfly_api;
grant select, delete on acme_orders to mayfly_api;
grant select, insert, update (next) on address_cursors to mayfly_api;
grant select, insert, update (enabled, updated_at) on app_features to mayfly_api;
grant select, insert, delete, update (state, updated_at) on app_transfers to mayfly_api;
grant select, insert, update (acm, clear_cache, current_release, deleted_at, idle_since, locked, maintenance, name, owner, released_at, stack, updated_at, web_traffic_at) on apps to mayfly_api;
grant insert on audit to mayfly_api;
grant select, insert, delete, update (description, token_sha256, updated_at) on authorizations to mayfly_api;
grant select on build_output to mayfly_api;
grant select, insert, delete on buildpack_installations to mayfly_api;
grant select, insert, update (cancelled_at, updated_at) on builds to mayfly_api;
grant select, insert, delete, update (permissions, updated_at) on collaborators to mayfly_api;
grant select, insert, delete, update (acm_failures, acm_retry_at, acm_status, acm_status_reason, sni_endpoint, updated_at) on domains to mayfly_api;
grant select on dyno_memory to mayfly_api;
grant select, insert, update (restart_because, restart_requested_at) on dynos to mayfly_api;
grant insert on entries to mayfly_api;
grant select, insert on events to mayfly_api;
grant insert on exec_reservations to mayfly_api;
grant select, insert, update (command, quantity, size, updated_at) on formations to mayfly_api;
grant insert on log_lines to mayfly_api;
grant select, insert on log_sessions to mayfly_api;
grant select, insert, update (is_active, max_quantity, min_quantity, notification_channels, notification_period, updated_at, value) on monitors to mayfly_api;
grant select, insert on one_offs to mayfly_api;
grant select on regions to mayfly_api;
grant select on release_output to mayfly_api;
grant select, insert, update (status, updated_at) on releases to mayfly_api;
grant select on router_measures to mayfly_api;
grant select on slugs to mayfly_api;
grant select, insert, delete, update (certificate_chain, expires_at, fingerprint, private_key, starts_at, updated_at) on sni_endpoints to mayfly_api;
grant select, insert, update (uploaded_at) on sources to mayfly_api;
grant select, insert, delete, update (role, updated_at) on team_members to mayfly_api;
grant select, insert, update (updated_at) on teams to mayfly_api;
grant select on webhook_attempts to mayfly_api;
grant select, insert on webhook_deliveries to mayfly_api;
grant select, insert on webhook_events to mayfly_api;
grant select, insert, delete, update (authorization_header, include, level, secret, updated_at, url) on webhooks to mayfly_api;
grant select, insert, update (run_at, wakes) on work to mayfly_api;

-- mayfly_git: bin/git.ts, bin/pre-receive.ts
grant select on accounts to mayfly_git;
grant select, update (updated_at) on apps to mayfly_git;
grant insert on audit to mayfly_git;
grant select on authorizations to mayfly_git;
grant select on build_output to mayfly_git;
grant select, insert on builds to mayfly_git;
grant select on collaborators to mayfly_git;
grant insert on log_lines to mayfly_git;
grant select on regions to mayfly_git;
grant select on release_output to mayfly_git;
grant select on releases to mayfly_git;
grant select on slugs to mayfly_git;
grant select, insert, update (uploaded_at) on sources to mayfly_git;
grant select on team_members to mayfly_git;
grant select on teams to mayfly_git;
grant select, insert, update (run_at, wakes) on work to mayfly_git;

-- mayfly_logs: bin/logs.ts
grant select on app_features to mayfly_logs;
grant select on apps to mayfly_logs;
grant select on dynos to mayfly_logs;
grant select, delete on log_lines to mayfly_logs;
grant select, delete, update (read_at) on log_sessions to mayfly_logs;
grant select, insert, update (since, until) on router_counting to mayfly_logs;
grant select, insert, delete, update (counts, dynos, keys, service_longest, service_total) on router_measures to mayfly_logs;
grant select, insert, update (code, error_class, status, updated_at) on webhook_attempts to mayfly_logs;
grant select, update (next_attempt_at, num_attempts, status, updated_at) on webhook_deliveries to mayfly_logs;
grant select on webhook_events to mayfly_logs;
grant select on webhooks to mayfly_logs;
grant select, insert, update (failures, last_error, leased_until, run_at, wakes) on work to mayfly_logs;

-- mayfly_rendezvous: bin/rendezvous.ts
grant select on accounts to mayfly_rendezvous;
grant select on dynos to mayfly_rendezvous;
grant select, insert, update (attached_at) on entries to mayfly_rendezvous;
grant select on exec_reservations to mayfly_rendezvous;
grant insert on log_lines to mayfly_rendezvous;
grant select, update (attached_at, detached_at) on one_offs to mayfly_rendezvous;
grant select, insert, update (run_at, wakes) on work to mayfly_rendezvous;

-- mayfly_manager: bin/manager.ts
grant select on accounts to mayfly_manager;
grant select, insert, update (url) on acme_accounts to mayfly_manager;
grant select on acme_directory to mayfly_manager;
grant select, insert, delete, update (answered, told) on acme_orders to mayfly_manager;
grant select, insert, update (next) on address_cursors to mayfly_manager;
grant select on app_features to mayfly_manager;
grant select, delete, update (clear_cache, current_release, idle_since, released_at, updated_at, web_traffic_at) on apps to mayfly_manager;
grant select, delete on audit to mayfly_manager;
grant select, insert on build_output to mayfly_manager;
grant select on buildpack_installations to mayfly_manager;
grant select, update (address, failure, release, slug, started_at, status, step, updated_at) on builds to mayfly_manager;
grant select, update (acm_failures, acm_retry_at, acm_status, acm_status_reason, sni_endpoint, updated_at) on domains to mayfly_manager;
grant select, insert, update (at, quota, used) on dyno_memory to mayfly_manager;
grant select, insert, delete, update (crashes, exit_status, exited_at, killed_at, leaving, next_attempt_at, placed_at, restart_because, restart_requested_at, routed, started_at, state, stop_reason, terminated_at, updated_at, waiting_for) on dynos to mayfly_manager;
grant select, delete on entries to mayfly_manager;
grant select, insert, delete on events to mayfly_manager;
grant select, insert, update (command, quantity, size, updated_at) on formations to mayfly_manager;
grant insert on log_lines to mayfly_manager;
grant select, insert, update (is_active, max_quantity, min_quantity, notification_channels, notification_period, updated_at, value) on monitors to mayfly_manager;
grant select, insert, update (hang_ups, hung_up_at, unresponsive_at) on one_offs to mayfly_manager;
grant select on regions to mayfly_manager;
grant select, insert on release_output to mayfly_manager;
grant select, insert, update (failure, ready_at, status, updated_at) on releases to mayfly_manager;
grant select on router_counting to mayfly_manager;
grant select on router_measures to mayfly_manager;
grant select, insert, delete on router_slots to mayfly_manager;
grant select, insert, update (deleted_at, updated_at) on slugs to mayfly_manager;
grant select, insert, update (certificate_chain, expires_at, fingerprint, private_key, starts_at, updated_at) on sni_endpoints to mayfly_manager;
grant select, update (uploaded_at) on sources to mayfly_manager;
grant select on teams to mayfly_manager;
grant insert on webhook_deliveries to mayfly_manager;
grant select, insert, delete on webhook_events to mayfly_manager;
grant select, update (updated_at) on webhooks to mayfly_manager;
grant select, insert, delete, update (failures, last_error, leased_until, run_at, wakes) on work to mayfly_manager;
