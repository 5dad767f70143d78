import { command } from '../core/command-line.ts';
import { advice, type NextStep, partial, run } from '../core/next-step.ts';
import type { Problem } from '../core/problem.ts';
import { whyNetworkFails } from '../kube/client/errors.ts';
import { type Answer, shakeHands } from '../kube/client/handshake.ts';
import { proxyOf } from '../kube/client/proxy.ts';
import type { SelectedContext } from '../kube/kubeconfig/kubeconfig.ts';
import type { HostingConfig } from './hosting.ts';
import { clusterOfContainer, localNames } from './local-cluster-names.ts';

/** What answers at the address of a space, which its clients use. */
export interface Entrance {
  /** The https URL. */
  server: string;
  answer: Answer;
  /** Another port of the same host at which the space itself answers. */
  rightPort: number | undefined;
  config: HostingConfig | undefined;
}

/**
 * Tries the address of a space, from this machine: the space itself must answer there to its name, with a certificate of its own
 * authority. What an ingress is called, and how it is configured, does not matter.
 * @param context its published one @param config of its hosting cluster, if it may be read
 * @returns undefined if it cannot be judged: behind a proxy, with another name for TLS, or without an authority
 */
export async function tryEntrance(
  context: SelectedContext,
  config: HostingConfig | undefined,
): Promise<Entrance | undefined> {
  const { server, cluster } = context;
  const data = cluster['certificate-authority-data'];
  if (data === undefined || cluster['tls-server-name'] !== undefined || proxyOf(context) !== undefined)
    return undefined;
  const authority = Buffer.from(data, 'base64');
  const entrance = { server, answer: await shakeHands(server, authority), rightPort: undefined, config };
  if (entrance.answer.state === 'own' || entrance.answer.state === 'unresolved') return entrance;
  // That of https, and KubeFlex's default.
  const ports = new Set([config?.externalPort ?? 443, 443, 9443]);
  ports.delete(portOf(server));
  const others = await Promise.all(
    [...ports].map(async (port) => {
      const { href } = Object.assign(new URL(server), { port: String(port) });
      return { port, other: await shakeHands(href, authority) };
    }),
  );
  const right = others.find(({ other }) => other.state === 'own' && other.flaw === undefined);
  return { ...entrance, rightPort: right?.port };
}

const portOf = (server: string): number => Number(new URL(server).port || 443);

export const seeIngress = advice('See docs/installation.md, "The ingress"');

/** Why clients do not reach a space at its address. */
export interface EntranceProblem extends Pick<Problem, 'code' | 'next'> {
  /** Without a full stop. */
  why: string;
}

/**
 * What is wrong with the answer at the address of a space. @returns undefined if the space itself answers, with a certificate that clients accept
 * @param hosting the context of the hosting cluster
 */
export function problemOfEntrance(entrance: Entrance, hosting: string): EntranceProblem | undefined {
  const { server, answer, rightPort, config } = entrance;
  const { hostname } = new URL(server);
  const at = `${hostname}:${portOf(server)}`;
  const ports = rightPortSteps(config, hosting);
  if (rightPort !== undefined)
    return {
      code: 'address-wrong-port',
      why: `its address has the wrong port: ${whatAnswers(answer, at)}, and the space answers at port ${rightPort}`,
      next: [
        run(
          command`stellarctl init --hosting-context ${hosting} --external-port ${String(rightPort)}`,
          'Publish that port for new spaces',
        ),
        advice('An existing space keeps its address: delete it, and create it again'),
      ],
    };
  const problem = (code: string, ...next: NextStep[]) => ({ code, why: whatAnswers(answer, at), next });
  switch (answer.state) {
    case 'own':
      if (answer.flaw === undefined) return undefined;
      return problem(
        'address-certificate',
        advice('If it has expired, restart the API server of the space, which renews it'),
      );
    case 'unresolved':
      return problem(
        'address-unresolved',
        advice(`Let your DNS answer for ${hostname}, or put it into the hosts file, with the address of the ingress`),
      );
    case 'silent':
      return problem('address-no-listener', ...ports, seeIngress);
    case 'other': {
      const known = ingressThatAnswers(answer);
      const see = run(
        command`kubectl --context ${hosting} get ingresses,ingressclasses --all-namespaces`,
        'See whether an ingress serves the class of its Ingress',
      );
      return problem(
        'address-not-the-space',
        ...(known === undefined ? [...ports, see] : [advice(known.hint)]),
        seeIngress,
      );
    }
  }
}

function whatAnswers(answer: Answer, at: string): string {
  switch (answer.state) {
    case 'own':
      return `a server of the space's authority answers at ${at}, and ${whyNetworkFails({ code: answer.flaw })}`;
    case 'unresolved':
      return `the name in its address ${at} cannot be resolved on this machine`;
    case 'silent':
      return answer.code === 'ECONNREFUSED' ? `nothing listens at ${at}` : `nothing answers at ${at} (${answer.code})`;
    case 'other':
      return `at ${at}, ${answer.what}`;
  }
}

/** The engine of a local cluster knows its port. */
function rightPortSteps(config: HostingConfig | undefined, hosting: string): NextStep[] {
  const cluster = clusterOfContainer(config?.hostContainer ?? '');
  const give = partial(
    command`stellarctl init --hosting-context ${hosting} --external-port PORT`,
    'Publish the port that leads to TLS of the ingress',
  );
  if (cluster === undefined) return [give];
  const { entrance } = localNames(cluster.provider, cluster.name);
  return [run(command`docker port ${entrance} 443/tcp`, 'See which port leads to its ingress'), give];
}

/** Ingresses by the subject of their own certificate. */
const knownIngresses = [
  {
    subject: 'TRAEFIK DEFAULT CERT',
    name: 'Traefik',
    hint: 'It is Traefik: start it with --providers.kubernetesingressnginx, and create IngressClass nginx of controller k8s.io/ingress-nginx',
  },
  {
    subject: 'Kubernetes Ingress Controller Fake Certificate',
    name: 'ingress-nginx',
    hint: 'It is ingress-nginx: start it with --enable-ssl-passthrough',
  },
];

/** The ingress that answers, if its own certificate shows it. */
export const ingressThatAnswers = (answer: Answer): { name: string; hint: string } | undefined =>
  answer.state === 'other' ? knownIngresses.find(({ subject }) => subject === answer.certificate?.subject) : undefined;
