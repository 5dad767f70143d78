import { type Condition, conditionOf, type Secret, textIn } from '../../kube/client/objects.ts';
import type { Klusterlet } from '../model/ocm-objects.ts';

/**
 * Why an agent does not reach its hub, as far as the messages of Go's TLS library show (crypto/x509); `unauthorized` is the hub's
 * own answer.
 */
export type ConnectionError = 'unknown-authority' | 'unauthorized' | 'other';

const errorSigns: [words: RegExp, ConnectionError][] = [
  [/signed by unknown authority/, 'unknown-authority'],
  [/Unauthorized/, 'unauthorized'],
];

/**
 * What the operator reports of the hub from inside the WEC, first with the bootstrap secret, then with the agent's own certificate.
 */
export interface ReportedConnection {
  /** `unseen`: it has not tried. */
  state: 'unseen' | 'working' | 'degraded';
  /** The result of trying the bootstrap secret. */
  bootstrap: 'Missing' | 'Error' | 'Unauthorized' | 'Functional' | undefined;
  /** The result of trying the agent's certificate. Unauthorized: the hub has answered and has not accepted the cluster yet. */
  config: 'SecretMissing' | 'Missing' | 'Error' | 'Unauthorized' | undefined;
  /**
   * The connection error and its message; of the agent's certificate if the bootstrap secret works. `server`: the server that was
   * tried, as `https://HOST:PORT`, if the message shows it.
   */
  error: { kind: ConnectionError; words: string; server?: string };
}

/**
 * The Klusterlet's condition HubConnectionDegraded. If it is True, its reason and its message have two parts, about the bootstrap
 * secret and about the certificate (ocm pkg/operator, statuscontroller); a 401 also results in `BootstrapSecretError`.
 */
export const hubConnectionOf = (klusterlet: Klusterlet | undefined): ReportedConnection =>
  readHubConnection(conditionOf(klusterlet, hubConnectionType));

export const hubConnectionType = 'HubConnectionDegraded';

export function readHubConnection(
  condition: Pick<Condition, 'status' | 'reason' | 'message'> | undefined,
): ReportedConnection {
  const { status, reason = '', message = '' } = condition ?? {};
  const part = (pattern: RegExp) => pattern.exec(reason)?.[1];
  const bootstrap = part(/^BootstrapSecret(Missing|Error|Unauthorized|Functional)\b/);
  const config = part(/,HubKubeConfig(SecretMissing|Missing|Error|Unauthorized)$/);
  const report = bootstrap === 'Functional' ? (message.split('\n').at(-1) ?? '') : message;
  const { kind, words } = connectionErrorIn(report);
  const server = /(?:Post|Get) "(https:\/\/[^/"]+)/.exec(report)?.[1];
  const refused = bootstrap === 'Functional' ? 'certificate of the agent' : 'bootstrap token';
  return {
    state: status === 'True' ? 'degraded' : status === 'False' ? 'working' : 'unseen',
    bootstrap: bootstrap as ReportedConnection['bootstrap'],
    config: config as ReportedConnection['config'],
    error: {
      kind,
      words:
        words === 'Unauthorized' ? `the hub does not accept the ${refused} (Unauthorized)` : words,
      ...(server && { server }),
    },
  };
}

/** Whether a report is of another server than a secret has, whose kubeconfig names it as it is tried: the secret is newer. */
export function isOfOtherServer(
  { server = '' }: ReportedConnection['error'],
  secret: Secret | undefined,
): boolean {
  return secret?.data?.kubeconfig !== undefined && !textIn(secret, 'kubeconfig').includes(server);
}

/** The connection error in what a program of OCM reports, and its words. */
export function connectionErrorIn(report: string): { kind: ConnectionError; words: string } {
  const words = transportWords(report);
  return { kind: errorSigns.find(([sign]) => sign.test(words))?.[1] ?? 'other', words };
}

/** The operator's message quotes its whole access review; the transport's error is at the end of a line. */
function transportWords(message: string) {
  const refused =
    /^Operation for resource &ResourceAttributes\{.*?Verb:([^,]*),.*?Resource:([^,]*),/m.exec(
      message,
    );
  if (refused !== null) return `it is not allowed to ${refused[1]} ${refused[2]} on the hub`;
  const lines = message.split('\n');
  const line =
    lines.find((text) => text.startsWith('Failed to create &SelfSubjectAccessReview')) ??
    lines[0] ??
    '';
  const cause =
    /"(?:bootstrap-hub-kubeconfig|hub-kubeconfig-secret)"(?: to apiserver \S+)?: (.*)$/.exec(
      line,
    )?.[1] ?? line;
  return cause.replace(/^(?:Post|Get) "[^"]*": /, '').replace(/^dial tcp: /, '');
}
