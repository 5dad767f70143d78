/** A fault of the test bed, and what `doctor` must find then, and nothing else. */
export interface Trial {
  /** Of the bed's table. */
  fault: string;
  /** Check and code of each finding, as `wec-nodes pod-unschedulable`; of a space with its subject before it. Causes first. */
  finds: readonly string[];
  /** The same without a context of the WEC. */
  alone: readonly string[];
  /** What the user adds to the commands of doctor, if they repair the subject. */
  heals?: readonly string[];
  /** The command ends the registration: nothing is left to check. */
  ends?: true;
  /** If the user must decide: the finding that says so. */
  person?: RegExp;
  /** CI tries it; `npm run test:release` tries all. */
  inCi?: boolean;
}

/** In the home of the command line: the current certificate authority of the hub. */
export const caFile = 'ca.pem';

const inCi = true;
/** The hub shows nothing of an agent that has never reached it. */
const unknown = ['wec-known not-found'];
const silent = ['wec-reports agent-silent'];
const elsewhere = { alone: unknown, person: /--hub-apiserver https:\/\/…/ };
const accepted = { heals: ['--accept'] };

const connection = (code: string): readonly string[] => [`wec-hub-connection ${code}`];
/** What both the hub and the cluster show. */
export const seenBy = (...finds: readonly string[]) => ({ finds, alone: finds });

/** One for each fault of a registration. */
export const registrationTrials: readonly Trial[] = [
  { fault: 'wrong-url', finds: connection('hub-address-loopback'), ...elsewhere },
  { fault: 'name-unresolvable', finds: connection('hub-not-reached'), ...elsewhere },
  { fault: 'connection-refused', finds: connection('hub-not-reached'), ...elsewhere },
  { fault: 'firewall', finds: connection('hub-not-reached'), ...elsewhere },
  { fault: 'wrong-ca', finds: connection('authority-wrong'), alone: unknown, ...accepted },
  { fault: 'certificate-of-other-name', finds: connection('hub-not-reached'), ...elsewhere, inCi },
  {
    fault: 'bootstrap-secret-missing',
    finds: connection('bootstrap-secret-missing'),
    alone: unknown,
    ...accepted,
  },
  { fault: 'token-expired', finds: connection('token-expired'), alone: unknown, ...accepted },
  { fault: 'token-revoked', finds: connection('token-revoked'), alone: unknown, ...accepted },
  {
    fault: 'token-expired-before-approval',
    finds: connection('token-expired'),
    alone: ['wec-registered joined'],
    heals: ['--accept'],
  },
  {
    fault: 'rbac-cluster',
    ...seenBy('its-bootstrap-rights bootstrap-rights-missing'),
    ...{ person: /OCM's cluster manager writes them/, inCi },
  },
  { fault: 'request-pending', ...seenBy('wec-registered request-pending'), heals: [] },
  { fault: 'request-denied', ...seenBy('wec-registered request-denied'), heals: [] },
  { fault: 'request-not-issued', ...seenBy('wec-registered not-signed'), person: /csrsigning/ },
  {
    fault: 'requests-piled-up',
    ...seenBy('wec-registered several-agents-ask'),
    person: /10 agents ask for its name/,
  },
  { fault: 'issued-not-accepted', ...seenBy('wec-registered not-accepted'), heals: [] },
  {
    fault: 'duplicate-name-before',
    ...seenBy('wec-registered several-agents-ask'),
    person: /2 agents ask for its name/,
  },
  {
    fault: 'duplicate-name-after',
    ...seenBy('wec-one-agent another-agent-asks'),
    person: /under another name/,
  },
  { fault: 'webhook-down', ...seenBy('its-hub-webhook hub-webhook'), person: /rollout restart/ },
  {
    fault: 'namespace-terminating',
    ...seenBy('wec-mailbox namespace-terminating'),
    person: /which its owner must remove/,
  },
  {
    fault: 'klusterlet-of-another-name',
    ...seenBy('wec-known not-found'),
    person: /registered as cluster\d-other/,
    inCi,
  },
  {
    fault: 'agent-dead',
    ...seenBy('wec-reports agent-silent'),
    person: /If its log shows no reason, restart it/,
  },
  {
    fault: 'agent-crashing',
    finds: ['wec-containers container-not-starting'],
    alone: silent,
    person: /Correct what its last state shows/,
  },
  {
    fault: 'agent-scaled-to-zero',
    finds: ['wec-agent-pods no-operator'],
    alone: silent,
    heals: [],
  },
  {
    fault: 'agent-unpullable',
    finds: ['wec-containers container-not-starting'],
    ...{ alone: unknown, person: /Correct what its last state shows/ },
  },
  {
    fault: 'agent-unschedulable',
    finds: ['wec-nodes pod-unschedulable'],
    ...{ alone: unknown, person: /Make room on a node/, inCi },
  },
  {
    fault: 'clock-wrong',
    ...seenBy('wec-reports clocks-differ'),
    person: /Set the clock that is wrong/,
  },
  {
    fault: 'wec-unhealthy',
    ...seenBy('wec-api-server api-server-unhealthy'),
    person: /Repair what fails; see its health checks/,
  },
  {
    fault: 'versions-apart',
    finds: ['wec-versions versions-apart'],
    alone: [],
    person: /Change the version where the Klusterlet/,
  },
  {
    fault: 'cluster-deleted',
    finds: ['wec-announced managed-cluster-missing'],
    // It may still announce itself for half a minute.
    alone: ['wec-registered managed-cluster'],
    heals: [],
  },
  // The test bed's kube-public/cluster-info keeps the former authority, as kubeadm's does.
  {
    fault: 'hub-ca-changed',
    finds: connection('authority-changed'),
    alone: silent,
    heals: ['--ca-file', caFile],
    person: /give the authority that the hub uses/,
  },
  {
    fault: 'agent-certificate-expired',
    finds: ['wec-certificate certificate-expired'],
    alone: silent,
    heals: [],
  },
  { fault: 'agent-certificate-expiring', ...seenBy('wec-signed not-signed'), person: /csrsigning/ },
  {
    fault: 'deletion-held-by-work',
    ...seenBy('wec-not-deleted deletion-waits-for-agent'),
    person: /--force/,
  },
  {
    fault: 'deletion-works-return',
    ...seenBy('wec-not-deleted being-deleted'),
    heals: ['--yes'],
    ends: true,
  },
  {
    fault: 'deletion-held-by-finalizer',
    ...seenBy('wec-not-deleted deletion-blocked'),
    person: /Its owner must remove it/,
  },
  {
    fault: 'namespace-held-by-apiservice',
    finds: ['wec-namespaces namespace-terminating'],
    ...{ alone: unknown, person: /get apiservices/ },
  },
];

/** Two simultaneous faults. */
interface PairTrial {
  /** Each of a WEC, in order of occurrence. */
  faults: readonly [fault: string, wec: string][];
  finds: readonly string[];
}

/** Ten faults in pairs: of two WECs, of a WEC and its hub, and of one WEC. */
export const pairTrials: readonly PairTrial[] = [
  {
    faults: [
      ['wrong-ca', 'cluster1'],
      ['token-expired', 'cluster2'],
    ],
    finds: [
      'wec/cluster1 wec-hub-connection authority-wrong',
      'wec/cluster2 wec-hub-connection token-expired',
    ],
  },
  {
    faults: [
      ['deletion-held-by-finalizer', 'cluster1'],
      ['namespace-terminating', 'cluster2'],
    ],
    finds: [
      'wec/cluster1 wec-not-deleted deletion-blocked',
      'wec/cluster2 wec-mailbox namespace-terminating',
    ],
  },
  {
    faults: [
      ['wrong-url', 'cluster1'],
      ['rbac-cluster', 'cluster2'],
    ],
    finds: [
      'its/its1 its-bootstrap-rights bootstrap-rights-missing',
      'wec/cluster1 wec-hub-connection hub-address-loopback',
    ],
  },
  {
    faults: [
      ['agent-unpullable', 'cluster1'],
      ['webhook-down', 'cluster2'],
    ],
    finds: [
      'its/its1 its-hub-webhook hub-webhook',
      'wec/cluster1 wec-containers container-not-starting',
    ],
  },
  {
    faults: [
      ['versions-apart', 'cluster1'],
      ['agent-dead', 'cluster1'],
    ],
    finds: ['wec/cluster1 wec-reports agent-silent', 'wec/cluster1 wec-versions versions-apart'],
  },
];

/** With several ITSes: its controllers have chosen while there was one. */
const chosen = 'wds/wds1 wds-its its-unclear';

/** One for each fault of a hosting cluster and its spaces: of an installation, `cluster1` is a WEC of its1. */
export const spaceTrials: readonly Omit<Trial, 'alone' | 'inCi'>[] = [
  {
    fault: 'hook-failed',
    finds: ['its/its9 its-its-hub-init its-hub-init'],
    person: /Correct what its log shows/,
  },
  {
    fault: 'postgresql-stopped',
    finds: ['hosting/hosting hosting-postgresql postgresql'],
    heals: [],
  },
  { fault: 'kubeflex-stopped', finds: ['hosting/hosting hosting-manager manager'], heals: [] },
  {
    fault: 'ingress-without-passthrough',
    finds: ['its/its8 its-reachable address-not-the-space'],
    person: /The ingress/,
  },
  {
    fault: 'several-itses',
    finds: [chosen, 'wds/wds9 wds-its its-unclear'],
    person: /Bind it to one/,
  },
  {
    fault: 'workstatus-missing', // The WDS does nothing while the ITS may still become ready.
    finds: [
      'its/its1 its-workstatus-crd workstatus-crd',
      'wds/wds1 wds-its-workstatus its-workstatus',
    ],
    person: /See what its status add-on lacks/,
  },
  {
    fault: 'placement-crashing',
    finds: ['its/its1 its-hub-runs hub-runs'],
    person: /Correct what its last state shows/,
  },
  {
    fault: 'status-addon-unavailable',
    finds: ['wec/cluster1 wec-addons addon-unavailable'],
    person: /See what of it does not run|what the cluster itself shows/,
  },
  {
    fault: 'external-token-expired',
    finds: ['its/its7 its-token validity-ending', chosen],
    person: /Record which context leads there/,
  },
  {
    fault: 'wds-outdated-kubeconfig',
    finds: ['wds/wds7 wds-its-credentials its-credentials-outdated'],
    heals: [],
  },
];
