-- The database as the migrations make it. Written by ./mayfly schema.

CREATE TABLE public.accounts (
    id uuid NOT NULL,
    email text NOT NULL,
    name text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.acme_accounts (
    directory text NOT NULL,
    private_key bytea NOT NULL,
    url text,
    refusals integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone
);

CREATE TABLE public.acme_directory (
    singleton boolean DEFAULT true NOT NULL,
    url text NOT NULL,
    email text,
    trusted text,
    CONSTRAINT acme_directory_singleton_check CHECK (singleton)
);

CREATE TABLE public.acme_orders (
    domain uuid NOT NULL,
    directory text NOT NULL,
    url text NOT NULL,
    private_key bytea NOT NULL,
    token text,
    key_authorization text,
    answered boolean DEFAULT false NOT NULL,
    told boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE public.acme_tries (
    id bigint NOT NULL,
    directory text NOT NULL,
    owner uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    held_until timestamp with time zone,
    hostname text
);

ALTER TABLE public.acme_tries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.acme_tries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.address_cursors (
    region text NOT NULL,
    next integer NOT NULL
);

CREATE TABLE public.app_features (
    app uuid NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.app_transfers (
    id uuid NOT NULL,
    app uuid NOT NULL,
    owner uuid NOT NULL,
    recipient uuid NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    app_name text,
    CONSTRAINT app_transfers_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'accepted'::text, 'declined'::text])))
);

CREATE TABLE public.apps (
    id uuid NOT NULL,
    name text NOT NULL,
    region text NOT NULL,
    owner uuid NOT NULL,
    stack text NOT NULL,
    maintenance boolean DEFAULT false NOT NULL,
    current_release uuid,
    repo_size bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    released_at timestamp with time zone,
    deleted_at timestamp with time zone,
    clear_cache boolean DEFAULT false NOT NULL,
    idle_since timestamp with time zone,
    web_traffic_at timestamp with time zone,
    locked boolean DEFAULT false NOT NULL,
    acm boolean DEFAULT false NOT NULL,
    CONSTRAINT apps_name_check CHECK ((name ~ '^[a-z][a-z0-9-]{1,28}[a-z0-9]$'::text))
);

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    account uuid,
    email text,
    "authorization" uuid,
    address inet,
    request uuid,
    method text NOT NULL,
    route text NOT NULL,
    nouns jsonb NOT NULL,
    app uuid,
    status integer NOT NULL
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.authorizations (
    id uuid NOT NULL,
    account uuid NOT NULL,
    token_sha256 bytea NOT NULL,
    description text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    scope text[] DEFAULT '{global}'::text[] NOT NULL,
    rotations integer DEFAULT 0 NOT NULL,
    by_login boolean DEFAULT false NOT NULL
);

CREATE TABLE public.browser_logins (
    id uuid NOT NULL,
    cli_sha256 bytea NOT NULL,
    page_sha256 bytea NOT NULL,
    description text NOT NULL,
    address inet,
    expires_at timestamp with time zone NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    account uuid,
    CONSTRAINT browser_logins_check CHECK (((account IS NOT NULL) = (state = ANY (ARRAY['password given'::text, 'granted'::text])))),
    CONSTRAINT browser_logins_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'password given'::text, 'granted'::text, 'refused'::text])))
);

CREATE TABLE public.build_output (
    printer uuid NOT NULL,
    "position" bigint NOT NULL,
    text text NOT NULL,
    next bigint NOT NULL
);

CREATE TABLE public.buildpack_installations (
    app uuid NOT NULL,
    ordinal integer NOT NULL,
    url text NOT NULL
);

CREATE TABLE public.builds (
    id uuid NOT NULL,
    app uuid NOT NULL,
    account uuid NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    step text DEFAULT 'prepare'::text,
    source uuid,
    unsealed_source_url text,
    source_version text,
    source_description text,
    source_checksum text,
    buildpacks jsonb,
    slug uuid,
    release uuid,
    stack text NOT NULL,
    failure text,
    address inet,
    cancelled_at timestamp with time zone,
    started_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    failing_since timestamp with time zone,
    anew_from bigint,
    pushed boolean DEFAULT false NOT NULL,
    source_url bytea,
    CONSTRAINT builds_check CHECK (((status = 'pending'::text) = (step IS NOT NULL))),
    CONSTRAINT builds_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text])))
);

CREATE TABLE public.collaborators (
    id uuid NOT NULL,
    app uuid NOT NULL,
    account uuid NOT NULL,
    permissions text[] NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT collaborators_permissions_check CHECK ((permissions <@ '{view,deploy,operate,manage}'::text[]))
);

CREATE TABLE public.database_identity (
    singleton boolean DEFAULT true NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT database_identity_singleton_check CHECK (singleton)
);

CREATE TABLE public.domains (
    id uuid NOT NULL,
    app uuid NOT NULL,
    hostname text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    sni_endpoint uuid,
    acm_status text,
    acm_status_reason text,
    acm_failures integer DEFAULT 0 NOT NULL,
    acm_retry_at timestamp with time zone,
    acm_failed_at timestamp with time zone,
    CONSTRAINT domains_acm_status_check CHECK ((acm_status = ANY (ARRAY['pending'::text, 'verified'::text, 'cert issued'::text, 'failing'::text, 'failed'::text]))),
    CONSTRAINT domains_hostname_check CHECK (((hostname = lower(hostname)) AND (length(hostname) <= 253)))
);

CREATE UNLOGGED TABLE public.dyno_memory (
    dyno uuid NOT NULL,
    used bigint NOT NULL,
    quota bigint NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE public.dynos (
    id uuid NOT NULL,
    app uuid NOT NULL,
    formation uuid,
    region text NOT NULL,
    type text NOT NULL,
    ordinal integer NOT NULL,
    release uuid NOT NULL,
    size text NOT NULL,
    command text NOT NULL,
    state text DEFAULT 'starting'::text NOT NULL,
    leaving boolean DEFAULT false NOT NULL,
    stop_reason text,
    address inet,
    port integer NOT NULL,
    routed boolean DEFAULT false NOT NULL,
    crashes integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    restart_requested_at timestamp with time zone,
    terminated_at timestamp with time zone,
    killed_at timestamp with time zone,
    exited_at timestamp with time zone,
    exit_status integer,
    next_attempt_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL,
    waiting_for text,
    placed_at timestamp with time zone,
    restart_because text,
    carries_on boolean DEFAULT false NOT NULL,
    CONSTRAINT dynos_check CHECK (((NOT leaving) OR (type = 'web'::text))),
    CONSTRAINT dynos_ordinal_check CHECK ((ordinal > 0)),
    CONSTRAINT dynos_placed_check CHECK (((placed_at IS NULL) OR (address IS NOT NULL) OR (state = ANY (ARRAY['crashed'::text, 'idle'::text, 'down'::text])))),
    CONSTRAINT dynos_port_check CHECK (((port >= 1024) AND (port <= 65535))),
    CONSTRAINT dynos_state_check CHECK ((state = ANY (ARRAY['starting'::text, 'up'::text, 'stopping'::text, 'crashed'::text, 'idle'::text, 'down'::text])))
);

CREATE TABLE public.entries (
    id uuid NOT NULL,
    dyno uuid NOT NULL,
    command text NOT NULL,
    environment bytea NOT NULL,
    attach_secret_sha256 bytea NOT NULL,
    columns integer,
    rows integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    attached_at timestamp with time zone,
    "authorization" uuid,
    rotations integer,
    account uuid
);

CREATE TABLE public.events (
    id bigint NOT NULL,
    app uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    dyno uuid,
    ps text,
    release uuid,
    cause text,
    message text NOT NULL
);

ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.exec_reservations (
    client_user text NOT NULL,
    dyno uuid NOT NULL,
    account uuid NOT NULL,
    client_key text NOT NULL,
    environment bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    "authorization" uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.formations (
    id uuid NOT NULL,
    app uuid NOT NULL,
    type text NOT NULL,
    quantity integer NOT NULL,
    size text NOT NULL,
    command text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT formations_quantity_check CHECK ((quantity >= 0)),
    CONSTRAINT formations_type_check CHECK ((type ~ '^[-\w]{1,128}$'::text))
);

CREATE TABLE public.log_lines (
    id bigint NOT NULL,
    app uuid NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    source text NOT NULL,
    ps text NOT NULL,
    message text NOT NULL,
    CONSTRAINT log_lines_source_check CHECK ((source = ANY (ARRAY['app'::text, 'heroku'::text])))
);

ALTER TABLE public.log_lines ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.log_lines_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.log_sessions (
    id uuid NOT NULL,
    app uuid NOT NULL,
    source text,
    dyno text,
    lines integer NOT NULL,
    tail boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    read_at timestamp with time zone,
    account uuid,
    token_sha256 bytea NOT NULL
);

CREATE TABLE public.migrations (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.monitors (
    id uuid NOT NULL,
    app uuid NOT NULL,
    is_active boolean NOT NULL,
    value integer NOT NULL,
    min_quantity integer NOT NULL,
    max_quantity integer NOT NULL,
    notification_channels text[] NOT NULL,
    notification_period integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT monitors_check CHECK ((max_quantity >= min_quantity)),
    CONSTRAINT monitors_min_quantity_check CHECK ((min_quantity >= 1)),
    CONSTRAINT monitors_value_check CHECK ((value >= 1))
);

CREATE TABLE public.one_offs (
    dyno uuid NOT NULL,
    account uuid NOT NULL,
    environment bytea NOT NULL,
    attach_secret_sha256 bytea,
    columns integer,
    rows integer,
    time_to_live integer,
    attached_at timestamp with time zone,
    detached_at timestamp with time zone,
    hang_ups integer DEFAULT 0 NOT NULL,
    hung_up_at timestamp with time zone,
    release_phase uuid,
    unresponsive_at timestamp with time zone,
    "authorization" uuid,
    rotations integer
);

CREATE TABLE public.passwords (
    account uuid NOT NULL,
    hash text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.recovery_codes (
    account uuid NOT NULL,
    sha256 bytea NOT NULL
);

CREATE TABLE public.regions (
    id uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    country text NOT NULL,
    locale text NOT NULL,
    domain text NOT NULL,
    http_port integer NOT NULL,
    subnet cidr NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    https_port integer,
    slots integer DEFAULT 0 NOT NULL,
    CONSTRAINT regions_http_port_check CHECK (((http_port >= 1) AND (http_port <= 65535))),
    CONSTRAINT regions_https_port_check CHECK (((https_port >= 1) AND (https_port <= 65535))),
    CONSTRAINT regions_slots_check CHECK ((slots >= 0))
);

CREATE TABLE public.release_output (
    printer uuid NOT NULL,
    "position" bigint NOT NULL,
    text text NOT NULL,
    next bigint NOT NULL
);

CREATE TABLE public.releases (
    id uuid NOT NULL,
    app uuid NOT NULL,
    version integer NOT NULL,
    status text NOT NULL,
    description text NOT NULL,
    account uuid NOT NULL,
    slug uuid,
    config_vars bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    ready_at timestamp with time zone,
    failure text,
    automatic boolean DEFAULT false NOT NULL,
    routing jsonb,
    has_release_phase boolean DEFAULT false NOT NULL,
    CONSTRAINT releases_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text, 'expired'::text]))),
    CONSTRAINT releases_version_check CHECK ((version > 0))
);

CREATE TABLE public.router_counting (
    one boolean DEFAULT true NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    CONSTRAINT router_counting_one_check CHECK (one)
);

CREATE TABLE public.router_measures (
    app uuid NOT NULL,
    period integer NOT NULL,
    at timestamp with time zone NOT NULL,
    writer uuid NOT NULL,
    dynos integer NOT NULL,
    keys smallint[] NOT NULL,
    counts bigint[] NOT NULL,
    service_total bigint NOT NULL,
    service_longest bigint NOT NULL,
    CONSTRAINT router_measures_period_check CHECK ((period = ANY (ARRAY[60, 600, 3600])))
)
WITH (fillfactor='70');

CREATE TABLE public.router_slots (
    region text NOT NULL,
    slot integer NOT NULL,
    app uuid NOT NULL,
    CONSTRAINT router_slots_slot_check CHECK ((slot >= 0))
);

CREATE TABLE public.slugs (
    id uuid NOT NULL,
    app uuid NOT NULL,
    stack text NOT NULL,
    commit text,
    commit_description text,
    buildpack_provided_description text,
    process_types jsonb NOT NULL,
    checksum text,
    size bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    healthchecks jsonb DEFAULT '{}'::jsonb NOT NULL,
    deleted_at timestamp with time zone
);

CREATE TABLE public.sni_endpoints (
    id uuid NOT NULL,
    app uuid NOT NULL,
    name text NOT NULL,
    certificate_chain text NOT NULL,
    private_key bytea NOT NULL,
    fingerprint text NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    acm boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.sources (
    id uuid NOT NULL,
    account uuid NOT NULL,
    uploaded_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    open_until timestamp with time zone,
    put_token_sha256 bytea NOT NULL,
    get_token_sha256 bytea NOT NULL
);

CREATE TABLE public.team_members (
    team uuid NOT NULL,
    account uuid NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT team_members_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text, 'collaborator'::text])))
);

CREATE TABLE public.teams (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    founder uuid,
    CONSTRAINT teams_name_check CHECK ((name ~ '^[a-z][a-z0-9-]{1,28}[a-z0-9]$'::text))
);

CREATE TABLE public.two_factors (
    account uuid NOT NULL,
    secret bytea NOT NULL,
    last_step bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.webhook_attempts (
    id uuid NOT NULL,
    delivery uuid NOT NULL,
    status text NOT NULL,
    code integer,
    error_class text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_attempts_status_check CHECK ((status = ANY (ARRAY['scheduled'::text, 'succeeded'::text, 'failed'::text])))
);

CREATE TABLE public.webhook_deliveries (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    webhook uuid NOT NULL,
    event uuid NOT NULL,
    status text NOT NULL,
    num_attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT webhook_deliveries_check CHECK (((status = 'retrying'::text) = (next_attempt_at IS NOT NULL))),
    CONSTRAINT webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'scheduled'::text, 'retrying'::text, 'failed'::text, 'succeeded'::text])))
);

ALTER TABLE public.webhook_deliveries ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_deliveries_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhook_events (
    id uuid NOT NULL,
    seq bigint NOT NULL,
    app uuid NOT NULL,
    include text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE public.webhook_events ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_events_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhooks (
    id uuid NOT NULL,
    app uuid NOT NULL,
    include text[] NOT NULL,
    level text NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    authorization_header bytea,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT webhooks_level_check CHECK ((level = ANY (ARRAY['notify'::text, 'sync'::text])))
);

CREATE TABLE public.work (
    kind text NOT NULL,
    subject uuid NOT NULL,
    region text NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    wakes bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    last_error text,
    heeded bigint DEFAULT '-1'::integer NOT NULL
);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_email_key UNIQUE (email);

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.acme_accounts
    ADD CONSTRAINT acme_accounts_pkey PRIMARY KEY (directory);

ALTER TABLE ONLY public.acme_directory
    ADD CONSTRAINT acme_directory_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.acme_orders
    ADD CONSTRAINT acme_orders_pkey PRIMARY KEY (domain);

ALTER TABLE ONLY public.acme_orders
    ADD CONSTRAINT acme_orders_token_key UNIQUE (token);

ALTER TABLE ONLY public.acme_tries
    ADD CONSTRAINT acme_tries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.address_cursors
    ADD CONSTRAINT address_cursors_pkey PRIMARY KEY (region);

ALTER TABLE ONLY public.app_features
    ADD CONSTRAINT app_features_pkey PRIMARY KEY (app, name);

ALTER TABLE ONLY public.app_transfers
    ADD CONSTRAINT app_transfers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT authorizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT authorizations_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.browser_logins
    ADD CONSTRAINT browser_logins_page_sha256_key UNIQUE (page_sha256);

ALTER TABLE ONLY public.browser_logins
    ADD CONSTRAINT browser_logins_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.build_output
    ADD CONSTRAINT build_output_pkey PRIMARY KEY (printer, "position");

ALTER TABLE ONLY public.buildpack_installations
    ADD CONSTRAINT buildpack_installations_pkey PRIMARY KEY (app, ordinal);

ALTER TABLE ONLY public.builds
    ADD CONSTRAINT builds_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.collaborators
    ADD CONSTRAINT collaborators_app_account_key UNIQUE (app, account);

ALTER TABLE ONLY public.collaborators
    ADD CONSTRAINT collaborators_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.database_identity
    ADD CONSTRAINT database_identity_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_hostname_key UNIQUE (hostname);

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.dyno_memory
    ADD CONSTRAINT dyno_memory_pkey PRIMARY KEY (dyno);

ALTER TABLE ONLY public.dynos
    ADD CONSTRAINT dynos_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_attach_secret_sha256_key UNIQUE (attach_secret_sha256);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.exec_reservations
    ADD CONSTRAINT exec_reservations_pkey PRIMARY KEY (client_user);

ALTER TABLE ONLY public.formations
    ADD CONSTRAINT formations_app_type_key UNIQUE (app, type);

ALTER TABLE ONLY public.formations
    ADD CONSTRAINT formations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.log_lines
    ADD CONSTRAINT log_lines_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.log_sessions
    ADD CONSTRAINT log_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.log_sessions
    ADD CONSTRAINT log_sessions_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.monitors
    ADD CONSTRAINT monitors_app_key UNIQUE (app);

ALTER TABLE ONLY public.monitors
    ADD CONSTRAINT monitors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.one_offs
    ADD CONSTRAINT one_offs_attach_secret_sha256_key UNIQUE (attach_secret_sha256);

ALTER TABLE ONLY public.one_offs
    ADD CONSTRAINT one_offs_pkey PRIMARY KEY (dyno);

ALTER TABLE ONLY public.passwords
    ADD CONSTRAINT passwords_pkey PRIMARY KEY (account);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (account, sha256);

ALTER TABLE ONLY public.regions
    ADD CONSTRAINT regions_name_key UNIQUE (name);

ALTER TABLE ONLY public.regions
    ADD CONSTRAINT regions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.release_output
    ADD CONSTRAINT release_output_pkey PRIMARY KEY (printer, "position");

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_app_version_key UNIQUE (app, version);

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.router_counting
    ADD CONSTRAINT router_counting_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.router_measures
    ADD CONSTRAINT router_measures_pkey PRIMARY KEY (app, period, at, writer);

ALTER TABLE ONLY public.router_slots
    ADD CONSTRAINT router_slots_app_key UNIQUE (app);

ALTER TABLE ONLY public.router_slots
    ADD CONSTRAINT router_slots_pkey PRIMARY KEY (region, slot);

ALTER TABLE ONLY public.slugs
    ADD CONSTRAINT slugs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sni_endpoints
    ADD CONSTRAINT sni_endpoints_app_name_key UNIQUE (app, name);

ALTER TABLE ONLY public.sni_endpoints
    ADD CONSTRAINT sni_endpoints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_get_token_sha256_key UNIQUE (get_token_sha256);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_put_token_sha256_key UNIQUE (put_token_sha256);

ALTER TABLE ONLY public.team_members
    ADD CONSTRAINT team_members_pkey PRIMARY KEY (team, account);

ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_name_key UNIQUE (name);

ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.two_factors
    ADD CONSTRAINT two_factors_pkey PRIMARY KEY (account);

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhook_events
    ADD CONSTRAINT webhook_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.work
    ADD CONSTRAINT work_pkey PRIMARY KEY (kind, subject);

CREATE INDEX acme_tries_of_name ON public.acme_tries USING btree (directory, hostname, at);

CREATE INDEX acme_tries_of_owner ON public.acme_tries USING btree (directory, owner, at);

CREATE INDEX addresses_of_builds ON public.builds USING btree (address) WHERE (status = 'pending'::text);

CREATE UNIQUE INDEX app_names ON public.apps USING btree (name) WHERE (deleted_at IS NULL);

CREATE INDEX apps_by_owner ON public.apps USING btree (owner) WHERE (deleted_at IS NULL);

CREATE INDEX apps_of_current_release ON public.apps USING btree (current_release);

CREATE INDEX audit_by_app ON public.audit USING btree (app, id) WHERE (app IS NOT NULL);

CREATE INDEX audit_by_time ON public.audit USING btree (at);

CREATE INDEX authorizations_of_account ON public.authorizations USING btree (account);

CREATE INDEX browser_logins_by_account ON public.browser_logins USING btree (account);

CREATE INDEX builds_of_app ON public.builds USING btree (app, created_at);

CREATE INDEX builds_of_release ON public.builds USING btree (release);

CREATE INDEX collaborators_by_account ON public.collaborators USING btree (account);

CREATE UNIQUE INDEX current_dynos ON public.dynos USING btree (formation, ordinal) WHERE ((state <> 'down'::text) AND (NOT leaving));

CREATE INDEX domains_of_app ON public.domains USING btree (app);

CREATE INDEX domains_of_sni_endpoint ON public.domains USING btree (sni_endpoint);

CREATE INDEX down_dynos ON public.dynos USING btree (region, updated_at) WHERE (state = 'down'::text);

CREATE INDEX dynos_of_app ON public.dynos USING btree (app, state, updated_at);

CREATE INDEX dynos_of_formation ON public.dynos USING btree (formation) WHERE (state <> 'down'::text);

CREATE INDEX dynos_of_release ON public.dynos USING btree (release);

CREATE INDEX ended_dynos ON public.dynos USING btree (formation, ordinal, updated_at) WHERE ((state = 'down'::text) AND (placed_at IS NOT NULL));

CREATE INDEX ended_one_offs ON public.dynos USING btree (app, updated_at) WHERE ((formation IS NULL) AND (state = 'down'::text));

CREATE INDEX entries_account ON public.entries USING btree (account);

CREATE INDEX entries_of_dyno ON public.entries USING btree (dyno);

CREATE INDEX events_by_age ON public.events USING btree (at);

CREATE INDEX events_of_app ON public.events USING btree (app, id);

CREATE INDEX exec_reservations_of_account ON public.exec_reservations USING btree (account, created_at);

CREATE INDEX exec_reservations_of_authorization ON public.exec_reservations USING btree ("authorization");

CREATE INDEX exec_reservations_of_dyno ON public.exec_reservations USING btree (dyno);

CREATE UNIQUE INDEX leaving_dynos ON public.dynos USING btree (formation, ordinal) WHERE ((state <> 'down'::text) AND leaving);

CREATE UNIQUE INDEX live_addresses ON public.dynos USING btree (address) WHERE (state <> 'down'::text);

CREATE INDEX live_dynos ON public.dynos USING btree (region) WHERE (state <> 'down'::text);

CREATE INDEX long_commands ON public.dynos USING btree (region) WHERE ((state = 'down'::text) AND (octet_length(command) > 1000));

CREATE UNIQUE INDEX one_off_names ON public.dynos USING btree (app, type, ordinal) WHERE ((formation IS NULL) AND (state <> 'down'::text));

CREATE INDEX open_webhook_deliveries ON public.webhook_deliveries USING btree (webhook, seq) WHERE (status <> ALL (ARRAY['failed'::text, 'succeeded'::text]));

CREATE UNIQUE INDEX pending_app_transfers ON public.app_transfers USING btree (app) WHERE (state = 'pending'::text);

CREATE INDEX pending_builds ON public.builds USING btree (app, created_at, id) WHERE (status = 'pending'::text);

CREATE INDEX placed_builds ON public.builds USING btree (app) WHERE (address IS NOT NULL);

CREATE INDEX promised_dynos ON public.dynos USING btree (region) WHERE ((state = ANY (ARRAY['starting'::text, 'up'::text, 'stopping'::text])) AND (placed_at IS NOT NULL));

CREATE UNIQUE INDEX release_phases ON public.one_offs USING btree (release_phase);

CREATE INDEX routed_dynos ON public.dynos USING btree (region) WHERE routed;

CREATE INDEX router_measures_by_age ON public.router_measures USING btree (period, at);

CREATE INDEX sources_open ON public.sources USING btree (account, open_until) WHERE (open_until IS NOT NULL);

CREATE INDEX sources_uploaded ON public.sources USING btree (account) WHERE (uploaded_at IS NOT NULL);

CREATE INDEX team_members_by_account ON public.team_members USING btree (account);

CREATE INDEX teams_by_founder ON public.teams USING btree (founder) WHERE (founder IS NOT NULL);

CREATE INDEX unplaced_dynos ON public.dynos USING btree (region, size, carries_on DESC, created_at, type, ordinal) WHERE ((state = 'starting'::text) AND (placed_at IS NULL));

CREATE INDEX webhook_attempts_of_delivery ON public.webhook_attempts USING btree (delivery, created_at);

CREATE INDEX webhook_deliveries_of_event ON public.webhook_deliveries USING btree (event);

CREATE INDEX webhook_deliveries_of_webhook ON public.webhook_deliveries USING btree (webhook, seq);

CREATE INDEX webhook_events_by_age ON public.webhook_events USING btree (created_at);

CREATE INDEX webhook_events_of_app ON public.webhook_events USING btree (app, seq);

CREATE INDEX webhooks_of_app ON public.webhooks USING btree (app);

CREATE INDEX work_due ON public.work USING btree (region, run_at);

ALTER TABLE ONLY public.acme_orders
    ADD CONSTRAINT acme_orders_domain_fkey FOREIGN KEY (domain) REFERENCES public.domains(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.acme_tries
    ADD CONSTRAINT acme_tries_owner_fkey FOREIGN KEY (owner) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.address_cursors
    ADD CONSTRAINT address_cursors_region_fkey FOREIGN KEY (region) REFERENCES public.regions(name);

ALTER TABLE ONLY public.app_features
    ADD CONSTRAINT app_features_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.app_transfers
    ADD CONSTRAINT app_transfers_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.app_transfers
    ADD CONSTRAINT app_transfers_owner_fkey FOREIGN KEY (owner) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.app_transfers
    ADD CONSTRAINT app_transfers_recipient_fkey FOREIGN KEY (recipient) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_current_release_fkey FOREIGN KEY (current_release) REFERENCES public.releases(id);

ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_owner_fkey FOREIGN KEY (owner) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.apps
    ADD CONSTRAINT apps_region_fkey FOREIGN KEY (region) REFERENCES public.regions(name);

ALTER TABLE ONLY public.authorizations
    ADD CONSTRAINT authorizations_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.browser_logins
    ADD CONSTRAINT browser_logins_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.build_output
    ADD CONSTRAINT build_output_build_fkey FOREIGN KEY (printer) REFERENCES public.builds(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.buildpack_installations
    ADD CONSTRAINT buildpack_installations_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.builds
    ADD CONSTRAINT builds_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.builds
    ADD CONSTRAINT builds_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.builds
    ADD CONSTRAINT builds_release_fkey FOREIGN KEY (release) REFERENCES public.releases(id);

ALTER TABLE ONLY public.builds
    ADD CONSTRAINT builds_slug_fkey FOREIGN KEY (slug) REFERENCES public.slugs(id);

ALTER TABLE ONLY public.builds
    ADD CONSTRAINT builds_source_fkey FOREIGN KEY (source) REFERENCES public.sources(id);

ALTER TABLE ONLY public.collaborators
    ADD CONSTRAINT collaborators_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.collaborators
    ADD CONSTRAINT collaborators_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id);

ALTER TABLE ONLY public.domains
    ADD CONSTRAINT domains_sni_endpoint_fkey FOREIGN KEY (sni_endpoint) REFERENCES public.sni_endpoints(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.dyno_memory
    ADD CONSTRAINT dyno_memory_dyno_fkey FOREIGN KEY (dyno) REFERENCES public.dynos(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.dynos
    ADD CONSTRAINT dynos_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.dynos
    ADD CONSTRAINT dynos_formation_fkey FOREIGN KEY (formation) REFERENCES public.formations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.dynos
    ADD CONSTRAINT dynos_region_fkey FOREIGN KEY (region) REFERENCES public.regions(name);

ALTER TABLE ONLY public.dynos
    ADD CONSTRAINT dynos_release_fkey FOREIGN KEY (release) REFERENCES public.releases(id);

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_dyno_fkey FOREIGN KEY (dyno) REFERENCES public.dynos(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.exec_reservations
    ADD CONSTRAINT exec_reservations_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.exec_reservations
    ADD CONSTRAINT exec_reservations_authorization_fkey FOREIGN KEY ("authorization") REFERENCES public.authorizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.exec_reservations
    ADD CONSTRAINT exec_reservations_dyno_fkey FOREIGN KEY (dyno) REFERENCES public.dynos(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.formations
    ADD CONSTRAINT formations_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.log_sessions
    ADD CONSTRAINT log_sessions_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.log_sessions
    ADD CONSTRAINT log_sessions_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.monitors
    ADD CONSTRAINT monitors_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.one_offs
    ADD CONSTRAINT one_offs_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.one_offs
    ADD CONSTRAINT one_offs_dyno_fkey FOREIGN KEY (dyno) REFERENCES public.dynos(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.one_offs
    ADD CONSTRAINT one_offs_release_phase_fkey FOREIGN KEY (release_phase) REFERENCES public.releases(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.passwords
    ADD CONSTRAINT passwords_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_account_fkey FOREIGN KEY (account) REFERENCES public.two_factors(account) ON DELETE CASCADE;

ALTER TABLE ONLY public.release_output
    ADD CONSTRAINT release_output_printer_fkey FOREIGN KEY (printer) REFERENCES public.releases(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.releases
    ADD CONSTRAINT releases_slug_fkey FOREIGN KEY (slug) REFERENCES public.slugs(id);

ALTER TABLE ONLY public.router_measures
    ADD CONSTRAINT router_measures_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.router_slots
    ADD CONSTRAINT router_slots_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.router_slots
    ADD CONSTRAINT router_slots_region_fkey FOREIGN KEY (region) REFERENCES public.regions(name);

ALTER TABLE ONLY public.slugs
    ADD CONSTRAINT slugs_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sni_endpoints
    ADD CONSTRAINT sni_endpoints_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id);

ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id);

ALTER TABLE ONLY public.team_members
    ADD CONSTRAINT team_members_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.team_members
    ADD CONSTRAINT team_members_team_fkey FOREIGN KEY (team) REFERENCES public.teams(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_founder_fkey FOREIGN KEY (founder) REFERENCES public.accounts(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.teams
    ADD CONSTRAINT teams_id_fkey FOREIGN KEY (id) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.two_factors
    ADD CONSTRAINT two_factors_account_fkey FOREIGN KEY (account) REFERENCES public.accounts(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_fkey FOREIGN KEY (delivery) REFERENCES public.webhook_deliveries(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_event_fkey FOREIGN KEY (event) REFERENCES public.webhook_events(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook_fkey FOREIGN KEY (webhook) REFERENCES public.webhooks(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_events
    ADD CONSTRAINT webhook_events_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_app_fkey FOREIGN KEY (app) REFERENCES public.apps(id) ON DELETE CASCADE;
