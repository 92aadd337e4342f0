import { Command, type CommanderError, Option } from 'commander';
import { logLevels } from '../otel/config/log-level.ts';
import type { AdminAddressFlags } from './admin-address.ts';
import type { AgentFlags } from './agent-settings.ts';
import type { CollectorFlags } from './collector-settings.ts';
import type { CheckFlags } from './commands/check.ts';
import type { InspectFlags } from './commands/journal.ts';
import type { LedgerFlags } from './commands/ledger.ts';
import type { UpFlags } from './commands/up.ts';
import { durationFlag, hostFlag, portFlag } from './flags.ts';
import { version } from './version.ts';

const logLevel = () =>
  new Option('--log-level <level>', 'least severe log entries to write').choices(logLevels);

/** The command line. Each command's modules are loaded when it runs, so that none pays for the others. */
export function program(): Command {
  const program = new Command('streamgauge');
  program
    .description(
      'Streams metrics from agents over gRPC to a collector, which sends them on as OpenTelemetry metrics.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showSuggestionAfterError(true)
    .configureOutput({ outputError: (text, write) => write(usageError(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  streamgauge up                                    everything on this machine, live
  streamgauge up --otlp http://backend:4318         the same, and on to a backend
  streamgauge collector --config collector.yaml     a collector
  streamgauge agent --endpoint 127.0.0.1:4317       an agent that reports to it
  streamgauge check collector.yaml                  look for mistakes before starting
  streamgauge reload                                put a changed configuration in force
  streamgauge ledger                                what came in and what became of it
`,
    );
  addAgent(program);
  addCollector(program);
  addUp(program);
  addCheck(program);
  addReload(program);
  addLedger(program);
  addJournal(program);
  // Settings are copied to subcommands when those are made, but for the ones above.
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

function addAgent(program: Command): void {
  program
    .command('agent')
    .summary('report metrics of this host to a collector')
    .description(
      'Reports metrics of this host to a collector. Without a file: to 127.0.0.1:4317, each second.',
    )
    .option('-c, --config <file>', 'configuration, YAML')
    .option('-e, --endpoint <host:port>', "the collector's gRPC address; with https:// before it over TLS")
    .option('--insecure', 'send without TLS to another machine')
    .option('--ca-file <file>', "authorities that sign the collector's certificate, PEM")
    .option('--cert-file <file>', "this agent's certificate, PEM")
    .option('--key-file <file>', 'the private key of that certificate, PEM')
    .option('--server-name <name>', "the name in the collector's certificate")
    .option('--token-file <file>', 'a file that holds a bearer token')
    .option('--agent-id <id>', 'who this agent is to the collector')
    .option('--state-dir <dir>', "directory of the agent's identity and state")
    .option('--once', 'print one collection as OTLP/JSON and end')
    .addOption(logLevel())
    .addHelpText(
      'after',
      `
Examples:
  streamgauge agent
  streamgauge agent --endpoint collector.example.com:4317 --ca-file ca.pem --token-file token
  streamgauge agent --endpoint collector.example.com:4317 --insecure
  streamgauge agent --config /etc/streamgauge/agent.yaml
  streamgauge agent --once | jq '.resourceMetrics[0].resource'
`,
    )
    .action(async (flags: AgentFlags) => (await import('./commands/agent.ts')).runAgent(flags));
}

function addListenOptions(command: Command): Command {
  return command
    .option('--grpc-port <port>', 'port for streams of agents (default 4317; 0 picks a free one)', portFlag)
    .option('--http-port <port>', 'port for /metrics, /healthz and /readyz (default 4318)', portFlag)
    .option('--admin-port <port>', 'port for status and agents as JSON (default 4319)', portFlag)
    .option(
      '--data-dir <directory>',
      'where the state is kept over restarts (default: the usual place for state)',
    )
    .option('--memory', 'keep the state in memory only: a restart begins at zero')
    .option('--otlp <url>', 'also send to http://HOST:4318 (OTLP over HTTP) or grpc://HOST:4317 (over gRPC)')
    .option('--otlp-interval <duration>', 'how often --otlp sends (default 10s)', durationFlag(100));
}

function addCollector(program: Command): void {
  addListenOptions(
    program
      .command('collector')
      .summary('take streams from agents and send metrics on')
      .description(
        'Takes streams from agents, makes OpenTelemetry metrics of them and sends these on. Without a file, OTEL_* environment variables act.',
      )
      .option('-c, --config <file>', 'configuration, YAML')
      .option('--host <host>', 'address of the gRPC and the HTTP port (default 127.0.0.1)', hostFlag)
      .option('--insecure', 'listen without TLS where other machines can connect')
      .option('--cert-file <file>', 'certificate of the gRPC and the HTTP port, PEM')
      .option('--key-file <file>', 'the private key of that certificate, PEM')
      .option('--client-ca-file <file>', 'authorities that sign the certificates of clients, PEM'),
  )
    .addOption(logLevel())
    .addHelpText(
      'after',
      `
Examples:
  streamgauge collector
  streamgauge collector --config collector.yaml
  streamgauge collector --host 0.0.0.0 --cert-file tls.crt --key-file tls.key
  streamgauge collector --host 0.0.0.0 --insecure --otlp https://otlp.example.com
  streamgauge collector --grpc-port 0 --http-port 0 --admin-port 0 --otlp grpc://localhost:14317
`,
    )
    .action(async (flags: CollectorFlags) => (await import('./commands/collector.ts')).runCollector(flags));
}

function addUp(program: Command): void {
  addListenOptions(
    program
      .command('up')
      .summary('collector and agent together on this machine, live')
      .description(
        'Runs a collector and an agent on this machine, which speak over gRPC as they would from afar, and shows what flows.',
      ),
  )
    .option('--interval <duration>', "how often the host's metrics are read (default 1s)", durationFlag(100))
    .addOption(logLevel())
    .addHelpText(
      'after',
      `
Examples:
  streamgauge up
  streamgauge up --otlp http://backend.example.com:4318
  streamgauge up --otlp grpc://backend.example.com:4317 --otlp-interval 5s
  streamgauge up --grpc-port 0 --http-port 0 --admin-port 0
`,
    )
    .action(async (flags: UpFlags) => (await import('./commands/up.ts')).runUp(flags));
}

function addCheck(program: Command): void {
  program
    .command('check')
    .summary('look for mistakes in a configuration file')
    .description(
      'Reads a configuration file as the agent or the collector would, and prints every mistake in it. Exit code 1 when there are some.',
    )
    .argument('<file>', 'configuration, YAML')
    .addOption(new Option('--agent', 'it is for the agent').conflicts('collector'))
    .option('--collector', 'it is for the collector')
    .addHelpText(
      'after',
      `
Examples:
  streamgauge check collector.yaml
  streamgauge check --agent agent.yaml
`,
    )
    .action(async (file: string, flags: CheckFlags) =>
      (await import('./commands/check.ts')).runCheck(file, flags),
    );
}

/** How the admin port is asked. */
function addAdminOptions(command: Command): Command {
  return command
    .option('--host <host>', "address of the collector's admin port (default 127.0.0.1)", hostFlag)
    .option('--admin-port <port>', "the collector's admin port (default 4319)", portFlag)
    .option('--ca-file <file>', "ask over TLS: authorities that sign the port's certificate, PEM")
    .option('--cert-file <file>', 'a client certificate, PEM')
    .option('--key-file <file>', 'the private key of that certificate, PEM')
    .option('--token-file <file>', 'a file that holds a bearer token');
}

function addReload(program: Command): void {
  addAdminOptions(
    program
      .command('reload')
      .summary('put a changed configuration in force')
      .description(
        'Asks a running collector to read its configuration again and to put it in force, and prints what changed. Exit code 1 when it cannot be used: then the collector goes on with the one it has.',
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  streamgauge check collector.yaml && streamgauge reload
  streamgauge reload --host 10.0.0.5 --ca-file ca.pem --token-file token
`,
    )
    .action(async (flags: AdminAddressFlags) => (await import('./commands/reload.ts')).runReload(flags));
}

function addLedger(program: Command): void {
  addAdminOptions(program.command('ledger'))
    .summary('show what came in and what became of it')
    .description(
      'Asks a running collector for its books: what was reported, counted, set aside and refused, by metric and cause. Exit code 1 when they do not balance.',
    )
    .option('--metric <pattern>', 'metrics of this name; * and ? are wildcards')
    .option('--member <pattern>', 'members with this id; * and ? are wildcards')
    .option('--by-member', 'a line for each member')
    .option('--limit <lines>', 'lines at most (default 1000)')
    .option('--json', 'as the collector gives it')
    .addHelpText(
      'after',
      `
Examples:
  streamgauge ledger
  streamgauge ledger --metric 'system.network.*' --by-member
  streamgauge ledger --json | jq '.input.lines[] | select(.baseline.points > 0)'
`,
    )
    .action(async (flags: LedgerFlags) => (await import('./commands/ledger.ts')).runLedger(flags));
}

function addJournal(program: Command): void {
  const journal = program
    .command('journal')
    .summary("look into a collector's data directory")
    .description("Looks into a collector's data directory, where its state is kept over restarts.");
  journal
    .command('inspect')
    .copyInheritedSettings(program)
    .summary('show what is in a data directory')
    .description(
      'Prints whose a data directory is, when it was opened, its checkpoints and segments, and what is damaged. Only reads, also while a collector writes to it. Exit code 1 when something is damaged.',
    )
    .argument('<dir>', 'data directory')
    .option('--records', 'list the records first: position behind it, type, length, segment')
    .addHelpText(
      'after',
      `
Examples:
  streamgauge journal inspect /var/lib/streamgauge
  streamgauge journal inspect ~/.local/state/streamgauge --records | head
`,
    )
    .action(async (directory: string, flags: InspectFlags) =>
      (await import('./commands/journal.ts')).runInspect(directory, flags),
    );
}

/** Whether commander has said all there is to say: help, version, wrong usage. */
export function isUsage(error: unknown): error is CommanderError {
  return (
    error instanceof Error &&
    'exitCode' in error &&
    String((error as { code?: unknown }).code).startsWith('commander.')
  );
}

/** One sentence, with the way out. */
function usageError(text: string): string {
  const sentence = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  return `streamgauge: ${sentence}. See \`streamgauge --help\`, or \`--help\` behind a command.\n`;
}
