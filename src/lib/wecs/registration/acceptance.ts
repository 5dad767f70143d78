import { formatAge } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { command, type NextStep, partial, run } from '../../core/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import { createdAt, onlyOf, resources, typeMeta } from '../../kube/client/objects.ts';
import { bootstrapRequests, type HubEvidence, hasJoined } from '../../ocm/hub/hub-evidence.ts';
import type { RegistrationRequest } from '../../ocm/hub/registration-requests.ts';

/** The next action for a WEC that waits for acceptance. */
export type Decision =
  | { action: 'wait' }
  | { action: 'approve'; requests: RegistrationRequest[] }
  | { action: 'accept' }
  /** Approved and accepted: the agent does the rest. */
  | { action: 'follow' }
  | { action: 'already-joined' }
  | { action: 'refuse'; error: StellarError };

export interface AcceptanceOptions {
  /** The ITS's context, for commands in hints. */
  its: string;
  /** `--agent`: an agent's id or a prefix of it. */
  agent?: string | undefined;
  /** The id of the agent that runs on the WEC, if its context is given and its mode makes the id known. */
  ownAgent?: string | undefined;
  /** Agents that this run has already approved: it expects further requests from them. */
  approvedAgents?: ReadonlySet<string>;
  /** The ITS's clock, milliseconds since the epoch. */
  now: number;
}

/**
 * Decides on the registration requests of one WEC. It approves a request only if everything in it is right for that WEC and no
 * second agent requests the same name: two agents under one name would share the certificate, the Lease and the workloads without
 * an error. An id proves nothing, because every user who may send a request can read it on the hub: a request with another key or
 * from another requester may come from another agent under the same id. A new agent gets the name of a joined cluster only if the
 * user says so.
 */
export function decide(evidence: HubEvidence, options: AcceptanceOptions): Decision {
  const { name, managedCluster } = evidence;
  const requests = bootstrapRequests(evidence);
  const valid = requests.filter(({ problems }) => problems.length === 0);
  const chosen = findAgent(valid, options.agent);
  if (options.agent !== undefined && chosen === undefined && valid.length > 0) {
    // The WEC's own agent will send a request, even if another agent sent one before. An id that a user gave should exist.
    if (options.agent === options.ownAgent) return { action: 'wait' };
    return refuse(noSuchAgent(name, valid, options));
  }

  const considered = chosen === undefined ? valid : valid.filter(({ agent }) => agent === chosen);
  const open = considered.filter(({ state }) => state === 'pending');
  const passed = considered.filter(({ state }) => state === 'approved' || state === 'issued');
  const known = (agent: string | undefined) =>
    agent !== undefined && (options.approvedAgents?.has(agent) ?? false);

  if (hasJoined(evidence)) {
    const asking = open.filter(({ agent }) => !known(agent));
    // Denied after it had joined: its agent still has the certificate and sends no further request.
    if (open.length === 0)
      return { action: managedCluster?.spec?.hubAcceptsClient ? 'already-joined' : 'accept' };
    if (asking.length > 0 && chosen === undefined)
      return refuse(alreadyTaken(name, asking, options));
  }
  if (new Set([...open, ...passed].map(({ agent }) => agent)).size > 1)
    return refuse(severalAgents(name, [...open, ...passed], options));
  if (open.length > 0 && !isOneAgent(evidence, [...open, ...passed]))
    return refuse(severalKeys(name, [...open, ...passed], options));
  if (open.length > 0) {
    // An agent with a certificate no longer announces itself: if approved too early, it would never continue.
    return managedCluster === undefined
      ? { action: 'wait' }
      : { action: 'approve', requests: open };
  }
  if (passed.length > 0) {
    if (managedCluster === undefined) return { action: 'wait' };
    return { action: managedCluster.spec?.hubAcceptsClient ? 'follow' : 'accept' };
  }

  const invalid = requests.filter(
    ({ state, problems }) => state === 'pending' && problems.length > 0,
  );
  if (invalid.length > 0) return refuse(invalidRequests(name, invalid, options));
  return { action: 'wait' };
}

/** Whether requests of one id can come from one agent: they have one key and one requester. */
function isOneAgent(
  { managedCluster }: HubEvidence,
  requests: readonly RegistrationRequest[],
): boolean {
  // Approvals from before the cluster last announced itself belong to a registration that has ended.
  const announced = managedCluster === undefined ? 0 : createdAt(managedCluster);
  const ofThis = requests.filter(({ decided = announced }) => !(decided < announced));
  return [
    ({ key }: RegistrationRequest) => key,
    ({ csr }: RegistrationRequest) => csr.spec.username,
  ].every((part) => new Set(ofThis.map(part)).size <= 1);
}

/**
 * Whether one agent id has requests with several keys: its agent has restarted, or another program uses its id.
 * @param areOwn whether all requests are proven to be of one WEC: in mode Default its agent has another id after a restart
 */
export function asksWithSeveralKeys(evidence: HubEvidence, areOwn = false): boolean {
  const sound = bootstrapRequests(evidence).filter(({ problems }) => problems.length === 0);
  const pending = sound.filter(({ state }) => state === 'pending');
  const isOpen = ({ state }: RegistrationRequest) => state !== 'denied' && state !== 'failed';
  if (areOwn && pending.length > 0 && !isOneAgent(evidence, sound.filter(isOpen))) return true;
  return [...Map.groupBy(pending, ({ agent }) => agent).values()].some(
    (sameAgent) => !isOneAgent(evidence, sameAgent),
  );
}

/** The agent that `--agent` selects, by its id or a unique prefix. Undefined for none or several. */
export function findAgent(
  requests: RegistrationRequest[],
  wanted: string | undefined,
): string | undefined {
  if (wanted === undefined) return undefined;
  const agents = new Set(requests.flatMap(({ agent }) => agent ?? []));
  if (agents.has(wanted)) return wanted;
  return onlyOf([...agents].filter((agent) => agent.startsWith(wanted)));
}

const refuse = (error: StellarError): Decision => ({ action: 'refuse', error });

function severalAgents(
  name: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
): StellarError {
  const before = requests.find(({ state }) => state !== 'pending')?.agent;
  const approved =
    before === undefined
      ? 'none was approved'
      : `agent ${before} was approved before, and no other was`;
  return tooMany(
    `Several agents ask to be ${name}; ${approved}.`,
    requests,
    options,
    choices(name, requests, options),
  );
}

function severalKeys(
  name: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
): StellarError {
  const older = requests.slice(0, -1).map((request) => request.name);
  const message = `Requests with different keys or requesters ask to be the agent ${requests[0]?.agent} of ${name}; no more than one can be the agent's, and none of the pending ones was approved.`;
  const ifRestarted =
    'An agent that restarts asks again with a new key. If it has, delete what it left behind';
  return tooMany(message, requests, options, [
    run(command`kubectl --context ${options.its} delete csr ${older}`, ifRestarted),
    run(command`stellarctl accept --deny ${name} --its ${options.its}`, 'If not, refuse them'),
  ]);
}

function alreadyTaken(
  name: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
): StellarError {
  const message = `${name} has joined already, and another agent asks for its name; it was not approved.`;
  return tooMany(message, requests, options, [
    agentStep([name], requests[0]?.agent, options, `If ${name} was reinstalled`),
    agentStep(['--deny', name], requests[0]?.agent, options, 'If not'),
  ]);
}

function noSuchAgent(
  name: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
): StellarError {
  const message = `No unique agent ID matches "${options.agent}" among the requests for ${name}.`;
  return tooMany(message, requests, options, choices(name, requests, options));
}

const tooMany = (
  message: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
  next: NextStep[],
): StellarError =>
  new StellarError('several-agents', message, { details: requestLines(requests, options), next });

function invalidRequests(
  name: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
): StellarError {
  const details = requests.flatMap((request) =>
    request.problems.map((problem) => `${request.name}: ${problem}`),
  );
  const message = `No request for ${name} is right for a WEC of that name; none was approved.`;
  const see = command`kubectl --context ${options.its} describe csr ${requests.map((request) => request.name)}`;
  return new StellarError('request-refused', message, { details, next: [run(see, 'Look at it')] });
}

function choices(
  name: string,
  requests: RegistrationRequest[],
  options: AcceptanceOptions,
): NextStep[] {
  const sameAgent = requests.find(({ agent }) => agent === options.ownAgent)?.agent;
  return [
    agentStep([name], sameAgent, options, 'Approve one'),
    agentStep(['--deny', name], undefined, options, 'Refuse another'),
  ];
}

/** A command that takes an agent's id, with a prefix of the id if it is known. */
function agentStep(
  words: string[],
  agent: string | undefined,
  { its }: AcceptanceOptions,
  lead: string,
): NextStep {
  const line = command`stellarctl accept ${words} --agent ${agent?.slice(0, 8) ?? 'AGENT'} --its ${its}`;
  return agent === undefined ? partial(line, lead) : run(line, lead);
}

/** Requests as lines, with the fields that distinguish them. */
function requestLines(
  requests: RegistrationRequest[],
  { now, ownAgent }: AcceptanceOptions,
): string[] {
  return requests.map(({ name, agent = '', key = '', state, created, requester }) => {
    const line = `${name}: agent ${agent}, key ${key.slice(0, 8)}, ${state}, asked ${formatAge(now - created)} ago by ${requester}`;
    return ownAgent !== undefined && agent === ownAgent
      ? `${line}   ← the Klusterlet of the WEC`
      : line;
  });
}

/**
 * Approves or denies a judged request. It sends back the whole object that was judged: its resourceVersion guards against changes in
 * between (409). After a denial, its agent sends another one only once this one is deleted.
 */
export async function decideRequest(
  kube: Kube,
  { csr }: RegistrationRequest,
  type: 'Approved' | 'Denied',
): Promise<void> {
  const lastUpdateTime = new Date(kube.now()).toISOString();
  const message = `${type} by stellarctl accept.`;
  const condition = {
    type,
    status: 'True',
    reason: 'Stellarctl',
    message,
    lastUpdateTime,
  } as const;
  const csrs = resources.certificateSigningRequests;
  const conditions = [...(csr.status?.conditions ?? []), condition];
  const decided = { ...csr, ...typeMeta(csrs), status: { ...csr.status, conditions } };
  await kube.replace(csrs, decided, 'approval');
}

/**
 * Accepts a WEC's agent: the hub creates its mailbox and its roles. The hub's webhook checks the right to `managedclusters/accept`.
 */
export async function acceptCluster(kube: Kube, name: string): Promise<void> {
  await kube.merge(resources.managedClusters, name, { spec: { hubAcceptsClient: true } });
}
