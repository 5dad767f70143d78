import { lookup } from 'node:dns/promises';
import { type Check, type Outcome, pass, skipped, warn } from '../core/checks.ts';
import { advice } from '../core/next-step.ts';
import { problem } from '../core/problem.ts';
import { ifSeen, tryRead } from '../kube/access.ts';
import type { Kube } from '../kube/client/client.ts';
import { shakeHands } from '../kube/client/handshake.ts';
import { isLocalName } from '../kube/client/local-names.ts';
import { isTrue } from '../kube/client/objects.ts';
import { resources } from '../kube/client/resources.ts';
import { mayNotRead, type PartialReader, partialReader } from '../kube/partial-reader.ts';
import { apiServerOf, ingressClass } from '../ocm/kubeflex-names.ts';
import type { ControlPlane } from '../ocm/kubeflex-objects.ts';
import {
  type Entrance,
  type EntranceProblem,
  ingressThatAnswers,
  problemOfEntrance,
  seeIngress,
  tryEntrance,
} from './entrance.ts';
import { type HostingConfig, readHostingConfig, servesOpenShift } from './hosting.ts';
import { readAccess } from './space-access.ts';
import { listControlPlanes, typeOf } from './spaces.ts';

export const namesCheck: Check<{ kube: Kube }> = {
  ...{ id: 'names', title: 'the names of its spaces are resolved' },
  run: ({ kube }) => judgeNames(kube),
};

export const reachedCheck: Check<{ kube: Kube }> = {
  ...{ id: 'ingress', title: 'clients reach its spaces at their addresses' },
  run: ({ kube }) => judgeEntrance(kube),
};

/** Also applies to an installation that works. */
export const maintainedCheck: Check<{ kube: Kube }> = {
  ...{ id: 'ingress-maintained', title: 'its ingress gets security fixes' },
  run: ({ kube }) => judgeMaintained(kube),
};

/**
 * Tries the addresses of the spaces that are running and reached through an ingress or a route. If there is none, something must
 * answer in TLS at the address that they get.
 */
async function judgeEntrance(kube: Kube): Promise<Outcome> {
  const hosting = partialReader(kube);
  const config = await readHostingConfig(hosting);
  const spaces = ((await listControlPlanes(hosting)) ?? []).filter(
    (space) => apiServerOf[typeOf(space)] !== undefined && isTrue(space, 'Ready'),
  );
  if (spaces.length === 0)
    return config === undefined ? judgeBeforeKubeFlex(kube, hosting) : judgeBeforeSpaces(hosting, config);
  const { context } = kube.cluster;
  const tried = (await Promise.all(spaces.map((space) => tryOne(hosting, space, config)))).flat();
  if (tried.length === 0) return skipped('you may not read the addresses of its spaces, or a proxy leads to them');
  const unreached = tried.flatMap(({ name, entrance }) => {
    const found = problemOfEntrance(entrance, context);
    return found === undefined ? [] : [{ name, found }];
  });
  const [first] = unreached;
  if (first === undefined) return pass(tried.map(({ entrance }) => new URL(entrance.server).host).join(', '));
  return outcomeOf(first.found, `clients do not reach ${unreached.map(({ name }) => name).join(', ')}`);
}

/** What an ingress is needed for. */
const affected = 'spaces of type vcluster and k8s are not reachable (those of type host and external are)';

async function tryOne(
  hosting: PartialReader,
  space: ControlPlane,
  config: HostingConfig | undefined,
): Promise<{ name: string; entrance: Entrance }[]> {
  const context = ifSeen(ifSeen(await tryRead(() => readAccess(space, hosting))) ?? { state: 'absent', why: '' });
  const entrance = context && (await tryEntrance(context, config));
  return entrance === undefined ? [] : [{ name: space.metadata.name, entrance }];
}

/** Nothing has an address yet. Without this class, no ingress serves what KubeFlex writes. */
async function judgeBeforeKubeFlex(kube: Kube, hosting: PartialReader): Promise<Outcome> {
  if (await servesOpenShift(kube)) return pass('OpenShift uses routes');
  const { name } = ingressClass;
  const present = await hosting.get(resources.ingressClasses, name);
  if (hosting.forbidden.size > 0) return skipped(mayNotRead(hosting.forbidden));
  if (present !== undefined) return pass(`IngressClass ${name}`);
  return warn(
    'ingress-missing',
    `it has no IngressClass ${name}, so no ingress that KubeFlex can use; ${affected}`,
    seeIngress,
  );
}

async function judgeBeforeSpaces(hosting: PartialReader, config: HostingConfig): Promise<Outcome> {
  const { domain, externalPort, isOpenShift } = config;
  if (isOpenShift) return skipped('OpenShift uses routes, and there is no space yet');
  if (!isLocalName(domain)) return skipped('there is no space yet that could answer');
  const server = `https://its1.${domain}:${externalPort}`;
  const answer = await shakeHands(server, undefined);
  if (answer.state === 'other' && answer.certificate?.isApiServer === false)
    return pass(`${ingressThatAnswers(answer)?.name ?? 'a server'} at ${new URL(server).host}`);
  const found = problemOfEntrance({ server, answer, rightPort: undefined, config }, hosting.cluster.context);
  return found === undefined ? pass() : outcomeOf(found, affected);
}

function outcomeOf({ code, why, next }: EntranceProblem, effect: string): Outcome {
  const found = problem(code, `${why}; ${effect}`, ...next);
  return { status: 'warn', problem: code === 'address-unresolved' ? { ...found, causedBy: ['names'] } : found };
}

/** The ingress shows its own certificate to whoever asks for a name that it does not serve. */
async function judgeMaintained(kube: Kube): Promise<Outcome> {
  const hosting = partialReader(kube);
  const config = await readHostingConfig(hosting);
  if (config === undefined) return skipped('KubeFlex is not installed, or you may not read it');
  if (config.isOpenShift) return skipped('OpenShift uses routes');
  const server = `https://no-space.${config.domain}:${config.externalPort}`;
  const name = ingressThatAnswers(await shakeHands(server, undefined))?.name;
  if (name === undefined) return skipped('it is not known which ingress it has');
  if (name !== 'ingress-nginx') return pass(name);
  return warn(
    'ingress-retired',
    `it has ingress-nginx, which was retired in March 2026 and gets no security fixes`,
    advice('See docs/installation.md, "From ingress-nginx to Traefik"'),
  );
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
