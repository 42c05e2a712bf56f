/** [DEFAULT]: this process, its files and its log. */
import { accepted, Derived, obsolete, type Surroundings } from '../option.ts'
import { boolean, choice, integer, path, text } from '../scalar.ts'

export const LOG_FORMATS = ['auto', 'human', 'json'] as const

function dataFolder(around: Surroundings): string {
  return around.root ? '/var/lib/octavia-lite' : `${around.home}/.local/share/octavia-lite`
}

export const general = {
  data_dir: path(
    'Where everything this program keeps is: database, certificates, keys, amphorae.',
    new Derived('/var/lib/octavia-lite as root, else ~/.local/share/octavia-lite', dataFolder),
  ),
  debug: boolean('Log also what is only of interest when looking for a fault.', false, {
    mutable: true,
  }),
  log_format: choice('auto: for people on a terminal, JSON otherwise.', LOG_FORMATS, 'auto'),
  host: text(
    "The name of this host, as Neutron's agents know it.",
    new Derived('the host name', (around) => around.hostname),
  ),
  ...accepted({
    graceful_shutdown_timeout: integer('Seconds flows get to stop at a step boundary.', 60, {
      min: 0,
    }),
  }),
  ...obsolete('there is no message queue', {
    transport_url: text('Address of the message queue.', null, { secret: true }),
    control_exchange: text('Exchange of the message queue.', 'octavia'),
    rpc_response_timeout: integer('Seconds to wait for an answer on the queue.', 60),
    executor_thread_pool_size: integer('Threads which serve the message queue.', 64),
  }),
  ...obsolete('the log goes to standard error, as a service manager expects', {
    log_file: text('A file for the log.', null),
    log_dir: text('A folder for log files.', null),
    log_config_append: text('A Python logging configuration.', null),
    log_date_format: text('The form of times in the log.', '%Y-%m-%d %H:%M:%S'),
    log_options: boolean('Log all options at start.', true),
    use_stderr: boolean('Log to standard error.', true),
    use_syslog: boolean('Log to syslog.', false),
    use_journal: boolean('Log to the journal.', false),
    use_eventlog: boolean('Log to the event log of Windows.', false),
    use_json: boolean('Log JSON: see log_format.', false),
    syslog_log_facility: text('The facility for syslog.', 'LOG_USER'),
    watch_log_file: boolean('Open the log file again when it was moved.', false),
    publish_errors: boolean('Send errors as notifications.', false),
    fatal_deprecations: boolean('Make use of old names fatal.', false),
    default_log_levels: text('Levels by name of a Python module.', null),
    instance_format: text('How a log line names an instance.', null),
    instance_uuid_format: text('How a log line names an instance by id.', null),
    logging_context_format_string: text('The form of lines with a request.', null),
    logging_default_format_string: text('The form of lines without a request.', null),
    logging_debug_format_suffix: text('What debug lines end with.', null),
    logging_exception_prefix: text('What lines of a stack trace begin with.', null),
    logging_user_identity_format: text('How a log line names a user.', null),
    log_rotate_interval: integer('How often to begin a new log file.', 1),
    log_rotate_interval_type: text('The unit of log_rotate_interval.', 'days'),
    log_rotation_type: text('When to begin a new log file.', 'none'),
    max_logfile_count: integer('How many old log files to keep.', 30),
    max_logfile_size_mb: integer('The size at which a log file is full.', 200),
    rate_limit_burst: integer('Log lines per interval.', 0),
    rate_limit_interval: integer('The interval of rate_limit_burst, in seconds.', 0),
    rate_limit_except_level: text('The level that is not limited.', 'CRITICAL'),
  }),
}
