CREATE TABLE load_balancer (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  vip_address TEXT,
  vip_port_id TEXT,
  vip_subnet_id TEXT,
  vip_network_id TEXT,
  vip_qos_policy_id TEXT,
  vip_vnic_type TEXT NOT NULL,
  vip_sg_ids TEXT NOT NULL,
  additional_vips TEXT NOT NULL,
  provider TEXT,
  flavor_id TEXT REFERENCES flavor (id),
  availability_zone TEXT REFERENCES availability_zone (name),
  topology TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pool (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  loadbalancer_id TEXT REFERENCES load_balancer (id),
  protocol TEXT NOT NULL,
  lb_algorithm TEXT NOT NULL,
  session_persistence TEXT,
  tls_enabled INTEGER NOT NULL CHECK (tls_enabled IN (0, 1)),
  tls_container_ref TEXT,
  ca_tls_container_ref TEXT,
  crl_container_ref TEXT,
  tls_ciphers TEXT,
  tls_versions TEXT,
  alpn_protocols TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE listener (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  loadbalancer_id TEXT NOT NULL REFERENCES load_balancer (id),
  protocol TEXT NOT NULL,
  protocol_port INTEGER NOT NULL,
  connection_limit INTEGER NOT NULL,
  default_pool_id TEXT REFERENCES pool (id),
  insert_headers TEXT NOT NULL,
  timeout_client_data INTEGER NOT NULL,
  timeout_member_connect INTEGER NOT NULL,
  timeout_member_data INTEGER NOT NULL,
  timeout_tcp_inspect INTEGER NOT NULL,
  allowed_cidrs TEXT,
  default_tls_container_ref TEXT,
  sni_container_refs TEXT NOT NULL,
  client_ca_tls_container_ref TEXT,
  client_crl_container_ref TEXT,
  client_authentication TEXT NOT NULL,
  tls_ciphers TEXT,
  tls_versions TEXT,
  alpn_protocols TEXT,
  hsts_max_age INTEGER,
  hsts_include_subdomains INTEGER NOT NULL CHECK (hsts_include_subdomains IN (0, 1)),
  hsts_preload INTEGER NOT NULL CHECK (hsts_preload IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  name TEXT NOT NULL,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  pool_id TEXT NOT NULL REFERENCES pool (id),
  address TEXT NOT NULL,
  protocol_port INTEGER NOT NULL,
  subnet_id TEXT,
  weight INTEGER NOT NULL,
  backup INTEGER NOT NULL CHECK (backup IN (0, 1)),
  monitor_address TEXT,
  monitor_port INTEGER,
  vnic_type TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE health_monitor (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  name TEXT NOT NULL,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  pool_id TEXT NOT NULL REFERENCES pool (id),
  type TEXT NOT NULL,
  delay INTEGER NOT NULL,
  timeout INTEGER NOT NULL,
  max_retries INTEGER NOT NULL,
  max_retries_down INTEGER NOT NULL,
  http_method TEXT,
  url_path TEXT,
  expected_codes TEXT,
  http_version REAL,
  domain_name TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE l7policy (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  listener_id TEXT NOT NULL REFERENCES listener (id),
  action TEXT NOT NULL,
  redirect_pool_id TEXT REFERENCES pool (id),
  redirect_url TEXT,
  redirect_prefix TEXT,
  redirect_http_code INTEGER,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE l7rule (
  id TEXT PRIMARY KEY NOT NULL,
  project_id TEXT,
  admin_state_up INTEGER NOT NULL CHECK (admin_state_up IN (0, 1)),
  tags TEXT NOT NULL,
  provisioning_status TEXT NOT NULL,
  operating_status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT,
  l7policy_id TEXT NOT NULL REFERENCES l7policy (id),
  type TEXT NOT NULL,
  compare_type TEXT NOT NULL,
  key TEXT,
  value TEXT NOT NULL,
  invert INTEGER NOT NULL CHECK (invert IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE amphora (
  id TEXT PRIMARY KEY NOT NULL,
  loadbalancer_id TEXT REFERENCES load_balancer (id),
  compute_id TEXT,
  lb_network_ip TEXT,
  vrrp_ip TEXT,
  ha_ip TEXT,
  vrrp_port_id TEXT,
  ha_port_id TEXT,
  cert_expiration TEXT,
  cert_busy INTEGER NOT NULL CHECK (cert_busy IN (0, 1)),
  role TEXT,
  status TEXT NOT NULL,
  vrrp_interface TEXT,
  vrrp_id INTEGER,
  vrrp_priority INTEGER,
  cached_zone TEXT,
  image_id TEXT,
  compute_flavor TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE flavor (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  flavor_profile_id TEXT NOT NULL REFERENCES flavor_profile (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE flavor_profile (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  provider_name TEXT NOT NULL,
  flavor_data TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE availability_zone (
  name TEXT PRIMARY KEY NOT NULL,
  description TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  availability_zone_profile_id TEXT NOT NULL REFERENCES availability_zone_profile (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE availability_zone_profile (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  provider_name TEXT NOT NULL,
  availability_zone_data TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quota (
  project_id TEXT PRIMARY KEY NOT NULL,
  load_balancer INTEGER,
  listener INTEGER,
  pool INTEGER,
  member INTEGER,
  health_monitor INTEGER,
  l7policy INTEGER,
  l7rule INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  flow TEXT NOT NULL,
  load_balancer_id TEXT,
  input TEXT NOT NULL,
  status TEXT NOT NULL,
  error TEXT,
  request_id TEXT,
  created_ms INTEGER NOT NULL,
  started_ms INTEGER,
  finished_ms INTEGER
) STRICT;

CREATE TABLE job_step (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  result TEXT,
  error TEXT,
  started_ms INTEGER NOT NULL,
  finished_ms INTEGER,
  PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE listener_statistics (
  listener_id TEXT NOT NULL,
  amphora_id TEXT NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  active_connections INTEGER NOT NULL,
  total_connections INTEGER NOT NULL,
  request_errors INTEGER NOT NULL,
  PRIMARY KEY (listener_id, amphora_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE amphora_health (
  amphora_id TEXT PRIMARY KEY,
  last_update_ms INTEGER NOT NULL,
  busy INTEGER NOT NULL DEFAULT 0 CHECK (busy IN (0, 1)),
  seq INTEGER NOT NULL DEFAULT -1
) STRICT, WITHOUT ROWID;

CREATE TABLE vrrp_group (
  load_balancer_id TEXT PRIMARY KEY REFERENCES load_balancer (id),
  advert_int REAL NOT NULL,
  auth_pass TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_project (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_user (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  default_project_id TEXT REFERENCES identity_project (id),
  token_version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE role_assignment (
  user_id TEXT NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
  project_id TEXT NOT NULL REFERENCES identity_project (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  PRIMARY KEY (user_id, project_id, role)
) STRICT, WITHOUT ROWID;

CREATE TABLE application_credential (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT,
  user_id TEXT NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
  project_id TEXT NOT NULL REFERENCES identity_project (id) ON DELETE CASCADE,
  roles TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  unrestricted INTEGER NOT NULL CHECK (unrestricted IN (0, 1)),
  expires_ms INTEGER,
  UNIQUE (user_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked_token (
  audit_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE identity_version (version INTEGER NOT NULL) STRICT;

INSERT INTO identity_version (version) VALUES (0);

CREATE INDEX role_assignment_project ON role_assignment (project_id);

CREATE INDEX application_credential_project ON application_credential (project_id);

CREATE INDEX revoked_token_user ON revoked_token (user_id);

CREATE INDEX revoked_token_expiry ON revoked_token (expires_ms);

CREATE TABLE secret (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  creator_id TEXT,
  name TEXT NOT NULL,
  secret_type TEXT NOT NULL,
  algorithm TEXT,
  bit_length INTEGER,
  mode TEXT,
  expires_at TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  content_type TEXT,
  key_id TEXT,
  sealed BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE secret_container (
  id TEXT PRIMARY KEY,
  project_id TEXT NOT NULL,
  creator_id TEXT,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE secret_container_part (
  container_id TEXT NOT NULL REFERENCES secret_container (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  secret_id TEXT NOT NULL REFERENCES secret (id) ON DELETE CASCADE,
  PRIMARY KEY (container_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE secret_key (id TEXT NOT NULL) STRICT;

CREATE INDEX secret_project ON secret (project_id, created_at, id);

CREATE INDEX secret_key_of ON secret (key_id);

CREATE INDEX secret_container_project ON secret_container (project_id, created_at, id);

CREATE INDEX secret_container_part_of ON secret_container_part (secret_id);

CREATE INDEX load_balancer_project ON load_balancer (project_id, created_at, id);

CREATE INDEX load_balancer_order ON load_balancer (created_at, id);

CREATE INDEX load_balancer_status ON load_balancer (provisioning_status);

CREATE INDEX listener_parent ON listener (loadbalancer_id);

CREATE INDEX listener_project ON listener (project_id, created_at, id);

CREATE INDEX listener_pool ON listener (default_pool_id);

CREATE INDEX pool_parent ON pool (loadbalancer_id);

CREATE INDEX pool_project ON pool (project_id, created_at, id);

CREATE UNIQUE INDEX member_address ON member (pool_id, address, protocol_port);

CREATE INDEX member_project ON member (project_id, created_at, id);

CREATE UNIQUE INDEX health_monitor_pool ON health_monitor (pool_id);

CREATE INDEX health_monitor_project ON health_monitor (project_id, created_at, id);

CREATE INDEX l7policy_parent ON l7policy (listener_id, position);

CREATE INDEX l7policy_pool ON l7policy (redirect_pool_id);

CREATE INDEX l7policy_project ON l7policy (project_id, created_at, id);

CREATE INDEX l7rule_parent ON l7rule (l7policy_id);

CREATE INDEX l7rule_project ON l7rule (project_id, created_at, id);

CREATE INDEX amphora_parent ON amphora (loadbalancer_id);

CREATE UNIQUE INDEX flavor_name ON flavor (name);

CREATE INDEX flavor_parent ON flavor (flavor_profile_id);

CREATE INDEX availability_zone_parent ON availability_zone (availability_zone_profile_id);

CREATE INDEX load_balancer_flavor ON load_balancer (flavor_id);

CREATE INDEX load_balancer_zone ON load_balancer (availability_zone);

CREATE INDEX job_open ON job (sequence) WHERE finished_ms IS NULL;

CREATE INDEX job_open_of ON job (load_balancer_id, finished_ms, sequence);

CREATE INDEX job_load_balancer ON job (load_balancer_id, sequence);
