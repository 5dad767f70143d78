import type { NextStep } from '../engine/next-step.ts';
import { type Problem, problem } from '../engine/problem.ts';

interface Registered extends Pick<Problem, 'severity' | 'causedBy'> {
  /** The sentence for several WECs that share the problem. */
  several: string;
}

/** The problems of a WEC by their codes. docs/troubleshooting.md has a line for each. */
const registry = {
  'being-deleted': { several: 'They are being deleted.' },
  'deletion-blocked': { several: "They are being deleted, but blocked by finalizers that are not OCM's." },
  'works-return': {
    several: 'They are being deleted, but their works are recreated: binding policies still select them.',
  },
  'addon-returns': {
    several: 'They are being deleted, but their add-ons are recreated.',
    causedBy: ['its-controllers', 'its-hub-runs'],
  },
  'deletion-waits-for-agent': {
    several: 'They are being deleted, and their works wait for agents that do not report.',
  },
  'work-held': { several: 'Deleted works of them are blocked by finalizers of other programs.' },
  'namespace-terminating': { several: 'A namespace of them is being deleted, so nothing can be created in it.' },
  'context-of-another-cluster': { several: 'Their contexts lead to other clusters.' },
  'pod-unschedulable': { several: 'No node has room for their operators or agents.' },
  'not-signed': { several: 'The ITS approved requests of their agents, but nothing there has signed them.' },
  'certificate-expiring': {
    several: 'The certificates of their agents expire soon, and were not renewed in time.',
    severity: 'warn',
  },
  'api-server-unhealthy': { several: 'Their API servers are not healthy.' },
  'addon-missing': { several: 'The add-on that returns statuses is not installed on them.' },
  'addon-unavailable': { several: 'An add-on of them is not available.' },
  'versions-apart': { several: 'Their agents are of another version than the ITS.', severity: 'warn' },
  'klusterlet-in-work': {
    several: 'Works hold their Klusterlets, which come back whenever they are deleted.',
    severity: 'warn',
  },
  'deregistration-unfinished': { several: 'Their deregistration is unfinished; their labels are removed.' },
  'no-klusterlet': { several: 'There is no Klusterlet in their clusters.' },
  'container-not-starting': { several: 'A container of the operator or the agent does not start.' },
  'no-agent': { several: 'No agent of them runs.' },
  'no-operator': { several: 'Their operators do not run.' },
  'managed-cluster-missing': {
    several: 'The ITS has no ManagedCluster for them, and their agents do not announce it again.',
  },
  'hub-rebuilt': {
    several:
      'The ITS has no ManagedCluster for them, and another certificate authority than when they joined: it was rebuilt.',
  },
  'registered-elsewhere': { several: 'They are registered with another hub.' },
  'registered-as-another': { several: 'Their clusters are registered under other names.' },
  'webhook-silent': { several: 'The ITS does not admit their ManagedClusters.' },
  'reregistration-pending': {
    several: 'They have joined and are not available, and agents request their names again.',
  },
  'another-agent-asks': {
    several: 'They are registered and report, and other agents ask for their names.',
    severity: 'warn',
  },
  'several-agents-ask': {
    several: 'Several agents ask for each of their names, and nobody has accepted one.',
    severity: 'warn',
  },
  'too-many-requests': { several: 'Ten requests of each wait, and their agents send no more.' },
  'authority-changed': { several: "The hub's certificate authority has changed since they joined." },
  'authority-wrong': { several: "They were given another certificate authority than the hub's." },
  'certificate-expired': { several: 'The certificates of their agents have expired.' },
  'certificate-rejected': {
    several: 'The ITS no longer accepts the certificates of their agents.',
  },
  'token-expired': { several: 'Their bootstrap tokens have expired.' },
  'token-revoked': {
    several: 'The ITS no longer accepts their bootstrap tokens, which have not expired: they were revoked.',
  },
  'not-allowed-to-register': {
    several: 'Their bootstrap tokens are accepted, but not allowed to register clusters.',
    causedBy: ['its-bootstrap-rights'],
  },
  'authority-missing': {
    several: "They were given no certificate authority, and the hub's is not a public one.",
  },
  'certificate-of-other-name': {
    several: 'They call the hub by a name that is not in its certificate.',
  },
  'hub-unresolvable': { several: 'They cannot resolve the name of the hub.' },
  'hub-address-loopback': {
    several: 'The address that they have for the hub is a loopback address, which is the pod itself.',
  },
  'hub-refuses': { several: 'Nothing listens at the address that they have for the hub.' },
  'hub-timeout': {
    several: 'They get no answer from the address that they have for the hub, as behind a firewall.',
  },
  'hub-not-reached': { several: 'They do not reach the hub.' },
  'bootstrap-secret-missing': { several: 'Their bootstrap secrets are missing.' },
  'request-pending': { several: 'They asked to be registered, and nobody has accepted them.', severity: 'warn' },
  'request-denied': { several: 'Their requests were denied.' },
  'not-accepted': { several: 'The ITS does not accept them.', severity: 'warn' },
  'clocks-differ': { several: 'Their clocks and that of the ITS differ.' },
  'agent-silent': { several: 'Their agents have stopped reporting.' },
  'works-not-applied': { several: 'Works could not be applied on them.' },
  'admission-refuses-on-wec': { several: 'Admission webhooks of them refuse works, or do not answer.' },
  'namespace-terminating-on-wec': { several: 'Works could not be applied, because a namespace is being deleted.' },
  'not-announced': { several: 'Their agents asked, and could not announce them.' },
  'ocm-rights-missing': { several: 'Their work agents lack the rights that OCM itself gives them.' },
  'work-rights-missing': { several: 'Their work agents may not apply what their works contain.' },
  'operator-report-outdated': {
    several: 'What their operators report about their connections is outdated.',
    severity: 'warn',
  },
  'lease-overdue': { several: 'They are still shown as available, but their agents do not report.' },
} as const satisfies Record<string, Registered>;

export type WecProblemCode = keyof typeof registry;

const wecProblems: Readonly<Record<WecProblemCode, Registered>> = registry;

const isRegistered = (code: string): code is WecProblemCode => Object.hasOwn(registry, code);

/** The problem of an unmet stage of a registration: its code is that of its cause, else the id of the stage. */
export const stageProblem = (code: string, message: string, ...next: readonly NextStep[]): Problem =>
  isRegistered(code) ? wecProblem(code, message, ...next) : problem(code, message, ...next);

/** @param message one sentence about one WEC */
export function wecProblem(code: WecProblemCode, message: string, ...next: readonly NextStep[]): Problem {
  const { several, ...registered } = wecProblems[code];
  return { ...problem(code, message, ...next), ...registered, ofSeveral: several };
}
