import type { NextStep } from '../engine/next-step.ts';
import { type Evidence, type Problem, problem } from '../engine/problem.ts';

/**
 * The problems of a WEC by their codes, each with the sentence for several WECs that share it. docs/troubleshooting.md has a line
 * for each.
 */
const sentences = {
  'being-deleted': 'They are being deleted.',
  'deletion-blocked': "They are being deleted, but blocked by finalizers that are not OCM's.",
  'works-return': 'They are being deleted, but their works are recreated: binding policies still select them.',
  'addon-returns': 'They are being deleted, but their add-ons are recreated.',
  'deletion-waits-for-agent': 'They are being deleted, and their works wait for agents that do not report.',
  'work-held': 'Deleted works of them are blocked by finalizers of other programs.',
  'namespace-terminating': 'A namespace of them is being deleted, so nothing can be created in it.',
  'context-of-another-cluster': 'Their contexts lead to other clusters.',
  'pod-unschedulable': 'No node has room for their operators or agents.',
  'not-signed': 'The ITS approved requests of their agents, but nothing there has signed them.',
  'certificate-expiring': 'The certificates of their agents expire soon, and were not renewed in time.',
  'api-server-unhealthy': 'Their API servers are not healthy.',
  'addon-missing': 'The add-on that returns statuses is not installed on them.',
  'addon-unavailable': 'An add-on of them is not available.',
  'versions-apart': 'Their agents are of another version than the ITS.',
  'klusterlet-in-work': 'Works hold their Klusterlets, which come back whenever they are deleted.',
  'deregistration-unfinished': 'Their deregistration is unfinished; their labels are removed.',
  'no-klusterlet': 'There is no Klusterlet in their clusters.',
  'container-not-starting': 'A container of the operator or the agent does not start.',
  'no-agent': 'No agent of them runs.',
  'no-operator': 'Their operators do not run.',
  'managed-cluster-missing': 'The ITS has no ManagedCluster for them, and their agents do not announce it again.',
  'hub-rebuilt':
    'The ITS has no ManagedCluster for them, and another certificate authority than when they joined: it was rebuilt.',
  'registered-elsewhere': 'They are registered with another hub.',
  'registered-as-another': 'Their clusters are registered under other names.',
  'webhook-silent': 'The ITS does not admit their ManagedClusters.',
  'reregistration-pending': 'They have joined and are not available, and agents request their names again.',
  'another-agent-asks': 'They are registered and report, and other agents ask for their names.',
  'several-agents-ask': 'Several agents ask for each of their names, and nobody has accepted one.',
  'too-many-requests': 'Ten requests of each wait, and their agents send no more.',
  'authority-changed': "The hub's certificate authority has changed since they joined.",
  'authority-wrong': "They were given another certificate authority than the hub's.",
  'certificate-expired': 'The certificates of their agents have expired.',
  'certificate-rejected': 'The ITS no longer accepts the certificates of their agents.',
  'token-expired': 'Their bootstrap tokens have expired.',
  'token-revoked': 'The ITS no longer accepts their bootstrap tokens, which have not expired: they were revoked.',
  'not-allowed-to-register': 'Their bootstrap tokens are accepted, but not allowed to register clusters.',
  'authority-missing': "They were given no certificate authority, and the hub's is not a public one.",
  'certificate-of-other-name': 'They call the hub by a name that is not in its certificate.',
  'hub-unresolvable': 'They cannot resolve the name of the hub.',
  'hub-address-loopback': 'The address that they have for the hub is a loopback address, which is the pod itself.',
  'hub-refuses': 'Nothing listens at the address that they have for the hub.',
  'hub-timeout': 'They get no answer from the address that they have for the hub, as behind a firewall.',
  'egress-denied': 'The NetworkPolicies of OCM do not let their agents connect to the hub.',
  'hub-not-reached': 'They do not reach the hub.',
  'bootstrap-secret-missing': 'Their bootstrap secrets are missing.',
  'request-pending': 'They asked to be registered, and nobody has accepted them.',
  'request-denied': 'Their requests were denied.',
  'not-accepted': 'The ITS does not accept them.',
  'clocks-differ': 'Their clocks and that of the ITS differ.',
  'agent-silent': 'Their agents have stopped reporting.',
  'works-not-applied': 'Works could not be applied on them.',
  'admission-refuses-on-wec': 'Admission webhooks or policies of them refuse works, or do not answer.',
  'namespace-terminating-on-wec': 'Works could not be applied, because a namespace is being deleted.',
  'not-announced': 'Their agents asked, and could not announce them.',
  'ocm-rights-missing': 'Their work agents lack the rights that OCM itself gives them.',
  'work-rights-missing': 'Their work agents may not apply what their works contain.',
  'operator-report-outdated': 'What their operators report about their connections is outdated.',
  'lease-overdue': 'They are still shown as available, but their agents do not report.',
} as const satisfies Record<string, string>;

export type WecProblemCode = keyof typeof sentences;

/** What may resolve by itself, or waits for a user. */
const warnings: readonly WecProblemCode[] = [
  'certificate-expiring',
  'versions-apart',
  'klusterlet-in-work',
  'another-agent-asks',
  'several-agents-ask',
  'request-pending',
  'not-accepted',
  'operator-report-outdated',
];

/** The checks of the ITS whose failure explains a problem. */
const causes: Partial<Record<WecProblemCode, readonly string[]>> = {
  'addon-returns': ['its-controllers', 'its-hub-runs'],
  'not-allowed-to-register': ['its-bootstrap-rights'],
};

const isRegistered = (code: string): code is WecProblemCode => Object.hasOwn(sentences, code);

/** The problem of an unmet stage of a registration: its code is that of its cause, else the id of the stage. */
export const stageProblem = (code: string, message: string, ...next: readonly NextStep[]): Problem =>
  isRegistered(code) ? wecProblem(code, message, ...next) : problem(code, message, ...next);

/** @param message one sentence about one WEC */
export const wecProblem = (code: WecProblemCode, message: string, ...next: readonly NextStep[]): Problem => ({
  ...problem(code, message, ...next),
  ...(warnings.includes(code) && { severity: 'warn' }),
  causedBy: causes[code],
  ofSeveral: sentences[code],
});

/** The same with what objects show about it. */
export const wecProblemBy = (evidence: readonly Evidence[], ...given: Parameters<typeof wecProblem>): Problem => ({
  ...wecProblem(...given),
  evidence,
});
