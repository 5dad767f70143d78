import { lookup } from 'node:dns/promises';
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from 'node:tls';
import { type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import { command } from '../engine/command-line.ts';
import { advice, type NextStep, partial, run } from '../engine/next-step.ts';
import { readHostingConfig } from '../hosting/hosting.ts';
import { readIngress } from '../hosting/ingress.ts';
import type { Kube } from '../kube/client/client.ts';
import { isLocalName } from '../kube/client/local-names.ts';
import { isTrue } from '../kube/objects.ts';
import { partialReader } from '../kube/partial-reader.ts';
import { clusterOfContainer, localNames } from '../local-clusters/names.ts';
import { apiServerOf } from '../model/kubeflex-names.ts';
import { listControlPlanes, typeOf } from '../spaces/spaces.ts';

/**
 * Tries the port of this machine that serves the control planes: it must answer in TLS, and if a control plane is running, with
 * that control plane's certificate.
 */
export async function judgeIngressReachability(kube: Kube): Promise<Outcome> {
  const reader = partialReader(kube);
  const config = await readHostingConfig(reader);
  if (config === undefined) return skipped('KubeFlex is not installed, or you may not read it');
  const { domain, externalPort: port, hostContainer } = config;
  if (config.isOpenShift) return skipped('OpenShift uses routes');
  if (!isLocalName(domain)) return skipped(`its spaces are reached at ${domain}, not at a port of this machine`);
  if (!(await readIngress(reader)).passesTls) return skipped('it has no ingress that passes TLS through');
  const running = (await listControlPlanes(reader))?.find(
    (space) => apiServerOf[typeOf(space)] !== undefined && isTrue(space, 'Ready'),
  );
  const host = `${running?.metadata.name ?? 'its1'}.${domain}`;
  const answer = await handshake(port, host);
  const remedy = remedyFor(hostContainer);
  if ('failure' in answer)
    return warn(
      'ingress-unreachable',
      `at 127.0.0.1:${port}, where its spaces are to be reached as https://${host}:${port}, ${answer.failure}`,
      remedy,
    );
  const mismatch = running && checkServerIdentity(host, answer.certificate);
  if (mismatch === undefined) return pass(`127.0.0.1:${port}`);
  return warn(
    'ingress-of-another',
    `at 127.0.0.1:${port} another server answers than ${running?.metadata.name}: its certificate is not for ${host}`,
    remedy,
  );
}

/** The container engine knows the port of a local cluster. */
function remedyFor(hostContainer: string): NextStep {
  const cluster = clusterOfContainer(hostContainer);
  if (cluster === undefined)
    return partial(
      'stellarctl init --external-port PORT',
      'Forward that port to the ingress, or give the one that is forwarded',
    );
  return run(command`docker port ${localNames(cluster.provider, cluster.name).entrance} 443/tcp`);
}

type Handshake = { certificate: PeerCertificate } | { failure: string };

/** The timeout of the other side. */
const handshakeTimeoutMs = 5000;

/** The subject of the certificate matters here, not its issuer. */
function handshake(port: number, host: string): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false });
    const end = (handshake: Handshake) => {
      socket.destroy();
      resolve(handshake);
    };
    socket.setTimeout(handshakeTimeoutMs, () => end({ failure: 'nothing answers' }));
    socket.on('error', ({ code }: NodeJS.ErrnoException) =>
      end({ failure: code === 'ECONNREFUSED' ? 'nothing is listening' : 'the server does not speak TLS' }),
    );
    socket.on('secureConnect', () => end({ certificate: socket.getPeerCertificate() }));
  });
}

type Resolve = (host: string) => Promise<{ address: string }>;

/**
 * Resolves a name of the form that control planes get. stellarctl knows KubeFlex's own domain without DNS; kubectl and other
 * programs do not, and some resolvers drop answers of 127.0.0.1.
 * @param resolve for tests
 */
export async function judgeNames(kube: Kube, resolve: Resolve = (host) => lookup(host)): Promise<Outcome> {
  const config = await readHostingConfig(partialReader(kube));
  if (config === undefined) return skipped('KubeFlex is not installed, or you may not read it');
  if (config.isOpenShift) return skipped('OpenShift uses routes');
  const host = `its1.${config.domain}`;
  return resolve(host).then(
    ({ address }) => pass(`${host} is ${address}`),
    () =>
      warn(
        'names-unresolved',
        `${host} cannot be resolved on this machine: kubectl needs it, stellarctl does not`,
        advice(
          `Let your DNS answer for *.${config.domain}, or put a line for each space into the hosts file: 127.0.0.1 ${host}`,
        ),
      ),
  );
}
