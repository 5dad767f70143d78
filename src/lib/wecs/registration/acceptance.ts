import { formatAge, rfc3339 } from '../../core/deadline.ts';
import { StellarError } from '../../core/errors.ts';
import { command, type NextStep, partial, run } from '../../core/next-step.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ForeseenKube } from '../../kube/client/foreseen.ts';
import { createdAt, onlyOf, resources, typeMeta } from '../../kube/client/objects.ts';
import { nameOnce } from '../../ocm/agent/agent-certificate.ts';
import {
  bootstrapRequests,
  type HubEvidence,
  hasJoined,
  isOpen,
} from '../../ocm/hub/hub-evidence.ts';
import {
  deciderAnnotation,
  decisionMessage,
  type RegistrationRequest,
} from '../../ocm/hub/registration-requests.ts';

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

/** The requests of one WEC, sorted once. */
type Sorted = ReturnType<typeof sort>;

function sort(evidence: HubEvidence, options: AcceptanceOptions) {
  const requests = bootstrapRequests(evidence);
  const valid = requests.filter(({ problems }) => problems.length === 0);
  const chosen = findAgent(valid, options.agent);
  const considered = chosen === undefined ? valid : valid.filter(({ agent }) => agent === chosen);
  const open = considered.filter(({ state }) => state === 'pending');
  const passed = considered.filter(({ state }) => state === 'approved' || state === 'issued');
  return {
    ...options,
    evidence,
    name: evidence.name,
    /** Whether its agent has announced itself, and whether it is accepted. */
    isAnnounced: evidence.managedCluster !== undefined,
    isAccepted: evidence.managedCluster?.spec?.hubAcceptsClient === true,
    chosen,
    /** Everything in them is right for this WEC. */
    valid,
    /** Of these and of the chosen agent: those that wait for a decision, and those that were approved. */
    open,
    passed,
    live: [...open, ...passed],
    /** Those of agents that this run has not approved yet. */
    asking: open.filter(({ agent }) => !options.approvedAgents?.has(agent ?? '')),
    invalid: requests.filter(({ state, problems }) => state === 'pending' && problems.length > 0),
  };
}

/** The first rule that applies decides. */
const rules: readonly {
  when: (sorted: Sorted) => boolean;
  decide: (sorted: Sorted) => Decision;
}[] = [
  {
    // The WEC's own agent will send a request, even if another agent sent one before. An id that a user gave should exist.
    when: ({ agent, chosen, valid }) =>
      agent !== undefined && chosen === undefined && valid.length > 0,
    decide: (sorted) => (sorted.agent === sorted.ownAgent ? wait : noSuchAgent(sorted)),
  },
  {
    // Denied after it had joined: its agent still has the certificate and sends no further request.
    when: ({ evidence, open }) => hasJoined(evidence) && open.length === 0,
    decide: ({ isAccepted }) => ({ action: isAccepted ? 'already-joined' : 'accept' }),
  },
  {
    when: ({ evidence, asking, chosen }) =>
      hasJoined(evidence) && asking.length > 0 && chosen === undefined,
    decide: alreadyTaken,
  },
  { when: ({ live }) => new Set(live.map(({ agent }) => agent)).size > 1, decide: severalAgents },
  {
    when: ({ evidence, open, live }) => open.length > 0 && !isOneAgent(evidence, live),
    decide: severalKeys,
  },
  {
    // An agent with a certificate no longer announces itself: if approved too early, it would never continue.
    when: ({ live, isAnnounced }) => live.length > 0 && !isAnnounced,
    decide: () => wait,
  },
  {
    when: ({ open }) => open.length > 0,
    decide: ({ open }) => ({ action: 'approve', requests: open }),
  },
  {
    when: ({ passed }) => passed.length > 0,
    decide: ({ isAccepted }) => ({ action: isAccepted ? 'follow' : 'accept' }),
  },
  { when: ({ invalid }) => invalid.length > 0, decide: invalidRequests },
];

const wait: Decision = { action: 'wait' };

/**
 * Decides on the registration requests of one WEC. It approves a request only if everything in it is right for that WEC and no
 * second agent requests the same name: two agents under one name would share the certificate, the Lease and the workloads without
 * an error. An id proves nothing, because every user who may send a request can read it on the hub: a request with another key or
 * from another requester may come from another agent under the same id. A new agent gets the name of a joined cluster only if the
 * user says so.
 */
export function decide(evidence: HubEvidence, options: AcceptanceOptions): Decision {
  const sorted = sort(evidence, options);
  return rules.find(({ when }) => when(sorted))?.decide(sorted) ?? wait;
}

/** Whether requests of one id can come from one agent: they have one key and one requester. */
function isOneAgent({ managedCluster }: HubEvidence, requests: readonly RegistrationRequest[]) {
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

function severalAgents(sorted: Sorted): Decision {
  const { name, live } = sorted;
  return tooMany(
    `Several agents ask to be ${name}; none of the pending ones was approved.`,
    live,
    sorted,
    choices(live, sorted),
  );
}

function severalKeys(sorted: Sorted): Decision {
  const { name, live, its } = sorted;
  const older = live.slice(0, -1).map((request) => request.name);
  return tooMany(
    `Requests with different keys or requesters ask to be the agent ${live[0]?.agent} of ${name}; no more than one can be the agent's, and none of the pending ones was approved.`,
    live,
    sorted,
    [
      run(
        command`kubectl --context ${its} delete csr ${older}`,
        'An agent that restarts asks again with a new key. If it has, delete what it left behind',
      ),
      run(command`stellarctl accept --deny ${name} --its ${its}`, 'If not, refuse them'),
    ],
  );
}

function alreadyTaken(sorted: Sorted): Decision {
  const { name, asking } = sorted;
  return tooMany(
    `${name} has joined already, and another agent asks for its name; it was not approved.`,
    asking,
    sorted,
    [
      agentStep([name], asking[0]?.agent, sorted, `If ${name} was reinstalled`),
      agentStep(['--deny', name], asking[0]?.agent, sorted, 'If not'),
    ],
  );
}

function noSuchAgent(sorted: Sorted): Decision {
  const { agent, name, valid } = sorted;
  return tooMany(
    `No unique agent ID matches "${agent}" among the requests for ${name}.`,
    valid,
    sorted,
    choices(valid, sorted),
  );
}

const tooMany = (
  message: string,
  requests: readonly RegistrationRequest[],
  sorted: Sorted,
  next: NextStep[],
): Decision => {
  const details = requestLines(requests, sorted);
  return {
    action: 'refuse',
    error: new StellarError('several-agents', message, ...next).with({ details }),
  };
};

function invalidRequests({ name, invalid, its }: Sorted): Decision {
  const details = invalid.flatMap((request) =>
    request.problems.map((problem) => `${request.name}: ${problem}`),
  );
  return {
    action: 'refuse',
    error: new StellarError(
      'request-refused',
      `No request for ${name} is right for a WEC of that name; none was approved.`,
      run(
        command`kubectl --context ${its} describe csr ${invalid.map((request) => request.name)}`,
        'Look at it',
      ),
    ).with({ details }),
  };
}

function choices(requests: readonly RegistrationRequest[], sorted: Sorted) {
  const { name, ownAgent } = sorted;
  const sameAgent = requests.find(({ agent }) => agent === ownAgent)?.agent;
  return [
    agentStep([name], sameAgent, sorted, 'Approve one'),
    agentStep(['--deny', name], undefined, sorted, 'Refuse another'),
  ];
}

/** A command that takes an agent's id, with a prefix of the id if it is known. */
function agentStep(words: string[], agent: string | undefined, { its }: Sorted, lead: string) {
  const line = command`stellarctl accept ${words} --agent ${agent?.slice(0, 8) ?? 'AGENT'} --its ${its}`;
  return agent === undefined ? partial(line, lead) : run(line, lead);
}

/** Requests as lines, with the fields that distinguish them. */
function requestLines(requests: readonly RegistrationRequest[], { now, ownAgent }: Sorted) {
  return requests.map(({ name, agent = '', key = '', state, created, requester }) => {
    const line = `${name}: agent ${agent}, key ${key.slice(0, 8)}, ${state}, asked ${formatAge(now - created)} ago by ${requester}`;
    return ownAgent !== undefined && agent === ownAgent
      ? `${line}   ← the Klusterlet of the WEC`
      : line;
  });
}

/**
 * Approves or denies a judged request. It sends back the whole object that was judged: its resourceVersion guards against changes in
 * between (409). It names who decides. After a denial, its agent sends another one only once this one is deleted.
 */
export async function decideRequest(
  kube: Kube,
  { csr }: RegistrationRequest,
  type: 'Approved' | 'Denied',
): Promise<void> {
  const lastUpdateTime = rfc3339(kube.now());
  const user = kube.dryRun ? '' : await nameOnce(kube);
  const message = decisionMessage(type, user);
  const condition = {
    type,
    status: 'True',
    reason: 'Stellarctl',
    message,
    lastUpdateTime,
  } as const;
  const csrs = resources.certificateSigningRequests;
  const conditions = [...(csr.status?.conditions ?? []), condition];
  const annotations = { ...csr.metadata.annotations, ...(user && { [deciderAnnotation]: user }) };
  const metadata = { ...csr.metadata, annotations };
  const decided = { ...csr, ...typeMeta(csrs), metadata, status: { ...csr.status, conditions } };
  await kube.replace(csrs, decided, 'approval');
}

/**
 * Accepts a WEC's agent: the hub creates its mailbox and its roles. The hub's webhook checks the right to `managedclusters/accept`.
 */
export async function acceptCluster(kube: ForeseenKube, name: string): Promise<void> {
  await kube.merge(resources.managedClusters, name, { spec: { hubAcceptsClient: true } });
}
