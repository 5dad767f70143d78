import path from 'node:path';
import { rfc3339 } from '../../core/deadline.ts';
import { failureOf, StellarError } from '../../core/errors.ts';
import { advice, command, run } from '../../core/next-step.ts';
import { type ProgramOutput, programFailed, runProgram } from '../../core/program.ts';
import { jsonObject } from '../../core/text/formats.ts';
import type { ExecEntry, SelectedContext } from '../kubeconfig/kubeconfig.ts';
import { certificateAuthorityOf, type Issued, type PluginHost } from './credentials.ts';
import { claimsOf } from './validity.ts';

const group = 'client.authentication.k8s.io';
const terminationGraceMs = 2000;

/**
 * The credentials that a context's plugin or OpenID provider has issued. As in client-go (plugin/pkg/client/auth/exec/exec.go), it
 * is asked once for all clients of a command, and again when the credentials have expired.
 * @param refused credentials that the server has refused
 * @throws StellarError `credentials-failed`, `kubeconfig-invalid`, `interrupted`; Node's errors for a file of the cluster entry
 */
export async function issuedFor(
  context: SelectedContext,
  host: PluginHost,
  refused?: Issued,
): Promise<Issued> {
  const { exec, 'auth-provider': provider } = context.user;
  const start = provider ? issuedByProvider : startPlugin;
  const key = JSON.stringify(provider ?? [exec, context.cluster]);
  const kept = host.issued.get(key) ?? {};
  host.issued.set(key, kept);
  if (kept.last !== undefined && kept.last !== refused && !hasExpired(kept.last)) return kept.last;
  kept.running ??= start(context, host).finally(() => {
    kept.running = undefined;
  });
  kept.last = await kept.running;
  return kept.last;
}

/** Plugins that need the terminal run one at a time. */
function startPlugin(context: SelectedContext, host: PluginHost): Promise<Issued> {
  const run = () => runPlugin(context, host);
  if (!needsTerminal(context)) return run();
  const issued = host.terminalQueue.then(run, run);
  host.terminalQueue = issued;
  return issued;
}

const needsTerminal = ({ user }: SelectedContext) => user.exec?.interactiveMode === 'Always';

const hasExpired = ({ expirationTimestamp }: Issued) =>
  expirationTimestamp !== undefined && Date.parse(expirationTimestamp) <= Date.now();

async function runPlugin(context: SelectedContext, host: PluginHost): Promise<Issued> {
  const exec = context.user.exec as ExecEntry;
  const { command = '', args, installHint } = exec;
  const isInteractive = exec.interactiveMode !== 'Never' && host.hasTerminal();
  const program = { name: path.basename(command), path: command };
  const env = {
    ...host.env,
    ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(inputFor(context, exec, isInteractive)),
  };
  const relay = host.progress.relay();
  try {
    if (needsTerminal(context) && !isInteractive)
      throw new StellarError(
        'credentials-failed',
        `${command} needs interactive input, and stdin is not a terminal.`,
      );
    const run = runProgram({ ...host, env, terminationGraceMs });
    const output = await run(program, {
      args: args ?? [],
      isOnTerminal: isInteractive,
      onStderr: (text) => relay.write(text),
    });
    if (output.exitCode !== 0) throw programFailed(program, args ?? [], output);
    return readIssued(exec, output);
  } catch (error) {
    // The rest of its output has been shown.
    const { message, next, cause } = failureOf(error);
    const isMissing = (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    const why = isMissing ? `the program ${command} is not installed.` : message;
    const failed = `The credentials of context ${context.name} could not be obtained: ${why}`;
    const steps = isMissing && installHint ? [advice(installHint.trim())] : next;
    throw new StellarError('credentials-failed', failed, ...steps).with({ cause });
  } finally {
    relay.end();
  }
}

const isString = (value: unknown) => typeof value === 'string';

/** The value of KUBERNETES_EXEC_INFO (client-go, rest/exec.go and pkg/apis/clientauthentication/v1). */
function inputFor(
  { server, cluster }: SelectedContext,
  exec: ExecEntry,
  interactive: boolean,
): object {
  const { apiVersion, provideClusterInfo } = exec;
  const input = { kind: 'ExecCredential', apiVersion };
  if (provideClusterInfo !== true) return { ...input, spec: { interactive } };
  const authority = certificateAuthorityOf(cluster);
  const extensions = Array.isArray(cluster.extensions) ? cluster.extensions : [];
  const ofCluster = {
    server: cluster.server ?? server,
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'] || undefined,
    'certificate-authority-data': authority && Buffer.from(authority).toString('base64'),
    'proxy-url': cluster['proxy-url'],
    'disable-compression': cluster['disable-compression'] || undefined,
    config: extensions.find((each) => each?.name === `${group}/exec`)?.extension ?? null,
  };
  return { ...input, spec: { cluster: ofCluster, interactive } };
}

/** Parses the output of a plugin, which is never quoted. @throws StellarError */
function readIssued({ command, apiVersion }: ExecEntry, { stdout }: ProgramOutput): Issued {
  const printed = jsonObject(stdout) as
    | { apiVersion?: unknown; kind?: unknown; status?: Issued }
    | undefined;
  const { token = '', clientCertificateData = '', clientKeyData = '' } = printed?.status ?? {};
  const hasForm = printed?.kind === 'ExecCredential' && printed.apiVersion === apiVersion;
  const isPair = Boolean(clientCertificateData) === Boolean(clientKeyData);
  const areTexts = [token, clientCertificateData, clientKeyData].every(isString);
  if (hasForm && areTexts && isPair && (token || clientCertificateData))
    return printed.status as Issued;
  const wanted = `an ExecCredential of ${apiVersion} with a token, or with a certificate and its key`;
  throw new StellarError('credentials-failed', `the program ${command} did not print ${wanted}.`);
}

/** How long before it expires client-go renews a token. */
const marginMs = 10_000;

/**
 * The ID token of an OpenID provider as it is in the kubeconfig (client-go, plugin/pkg/client/auth/oidc). kubectl renews it there.
 * @throws StellarError `kubeconfig-invalid` for other auth providers, `credentials-failed` if it has expired
 */
async function issuedByProvider({ name: context, user }: SelectedContext): Promise<Issued> {
  const { name = '', config } = user['auth-provider'] ?? {};
  const dropped = `Context ${context} has a user with the auth provider "${name}", which kubectl no longer supports.`;
  const instead = advice('Use an exec plugin: the field "exec" of the user');
  if (name !== 'oidc') throw new StellarError('kubeconfig-invalid', dropped, instead);
  const token = config?.['id-token'] ?? '';
  const end = (claimsOf(token).expires ?? 0) - marginMs;
  if (end > Date.now()) return { token, expirationTimestamp: rfc3339(end) };
  throw new StellarError(
    'credentials-failed',
    `The ID token of context ${context} has expired.`,
    run(
      command`kubectl --context ${context} version`,
      'Let kubectl renew it, then rerun the command',
    ),
  );
}
