/**
 * The observed behaviour of the real programs, distilled from records: every state of an object, in order. Hub URL and names are
 * those of the test. A state marked `passing` may be too short to be seen, or lose a race that it won in the record.
 */

import type { Condition } from '../kube/objects.ts';

export interface State {
  status: Condition['status'];
  reason: string;
  message: string;
  passing?: true;
}

export interface Sequences {
  /** Of the Klusterlet, by condition type, in the order in which the types appear. */
  klusterlet: Record<string, State[]>;
  /** The reasons of the ManagedCluster's conditions; undefined while there is no ManagedCluster. */
  managedCluster: (string[] | undefined)[];
  /** The conditions of the one request, and whether it has a certificate; nothing while there is none. */
  request: string[];
  /** The Secrets of the agent's namespace. */
  secrets: string[][];
  hasMailbox: boolean;
}

/**
 * The parameters of the records: the test hub's address as the agent knows it, and the different contents of the bootstrap Secret.
 */
export interface Place {
  hub: string;
}

const agent = '"open-cluster-management-agent"';
const bootstrapName = '"bootstrap-hub-kubeconfig"';
const hubName = '"hub-kubeconfig-secret"';

const validGates: State[] = [
  { status: 'True', reason: 'FeatureGatesAllValid', message: 'Feature gates are all valid' },
];
const applied: State[] = [{ status: 'True', reason: 'KlusterletApplied', message: 'Klusterlet Component Applied' }];

function notAvailable(deployment: string): State {
  const message = `0 of requested instances are available of deployment ${agent} "${deployment}"`;
  return { status: 'False', reason: 'NoAvailablePods', message };
}

function unavailable(deployment: string): State {
  const message = `1 of requested instances are unavailable of deployment ${agent} "${deployment}"`;
  return { status: 'True', reason: 'UnavailablePods', message };
}

function desired(replicas: number): State {
  return { status: 'False', reason: 'DeploymentsFunctional', message: `deployments replicas are desired: ${replicas}` };
}

function ready(...deployments: string[]): State {
  return { status: 'True', reason: 'KlusterletAvailable', message: `deployments are ready: ${deployments.join(',')}` };
}

function passing(state: State): State {
  return { ...state, passing: true };
}

/** The agent's Deployment becoming ready in Singleton mode: the same in every record with a bootstrap Secret. */
const singletonStarts = {
  Available: [passing(notAvailable('klusterlet-agent')), ready('klusterlet-agent')],
  RegistrationDesiredDegraded: [passing(unavailable('klusterlet-agent')), desired(1)],
  WorkDesiredDegraded: [passing(unavailable('klusterlet-agent')), desired(1)],
};

const bootstrapWorks = ({ hub }: Place) =>
  `Bootstrap secret open-cluster-management-agent/bootstrap-hub-kubeconfig to apiserver ${hub} is configured correctly`;
const hubSecretMissing = `Failed to get hub kubeconfig secret ${agent} ${hubName}: secrets ${hubName} not found`;

const waiting = (place: Place): State => ({
  status: 'True',
  reason: 'BootstrapSecretFunctional,HubKubeConfigSecretMissing',
  message: `${bootstrapWorks(place)}\n${hubSecretMissing}`,
});

const unauthorized = (place: Place): State => ({
  status: 'True',
  reason: 'BootstrapSecretFunctional,HubKubeConfigUnauthorized',
  message:
    `${bootstrapWorks(place)}\nOperation for resource &ResourceAttributes{Namespace:,Verb:get,Group:certificates.k8s.io,Version:,` +
    'Resource:certificatesigningrequests,Subresource:,Name:,FieldSelector:nil,LabelSelector:nil,} is not allowed with hub ' +
    `config secret ${agent}/${hubName} to apiserver ${place.hub}`,
});

const working = ({ hub }: Place): State => ({
  status: 'False',
  reason: 'HubConnectionFunctional',
  message: `Hub kubeconfig secret open-cluster-management-agent/hub-kubeconfig-secret to apiserver ${hub} is working`,
});

/** The operator's first review with the bootstrap kubeconfig, and its result. */
const reviewFailed = (what: string): State => ({
  status: 'True',
  reason: 'BootstrapSecretError,HubKubeConfigSecretMissing',
  message:
    'Failed to create &SelfSubjectAccessReview{ObjectMeta:{      0 0001-01-01 00:00:00 +0000 UTC <nil> <nil> map[] map[] [] [] []},' +
    'Spec:SelfSubjectAccessReviewSpec{ResourceAttributes:&ResourceAttributes{Namespace:,Verb:create,' +
    'Group:cluster.open-cluster-management.io,Version:,Resource:managedclusters,Subresource:,Name:,FieldSelector:nil,' +
    'LabelSelector:nil,},NonResourceAttributes:nil,},Status:SubjectAccessReviewStatus{Allowed:false,Reason:,EvaluationError:,' +
    `Denied:false,},} with bootstrap secret ${agent} ${bootstrapName}: ${what}\n${hubSecretMissing}`,
});

const post = (hub: string, error: string) =>
  `Post "${hub}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": ${error}`;

const pullSecret = 'open-cluster-management-image-pull-credentials';
const bootstrapped = ['bootstrap-hub-kubeconfig', pullSecret];
const withHubSecret = ['bootstrap-hub-kubeconfig', 'hub-kubeconfig-secret', pullSecret];

const accepted = 'HubClusterAdminAccepted';
const joined = [accepted, 'ManagedClusterJoined', 'ManagedClusterAvailable', 'ManagedClusterClockSynced'];
const issued = ['', 'Approved', 'Approved issued'];

/** A Singleton agent that registers as far as it is allowed. */
function registering(place: Place, rest: Partial<Sequences> & { connection?: State[] }): Sequences {
  const { connection = [], ...others } = rest;
  return {
    klusterlet: {
      ValidFeatureGates: validGates,
      Applied: applied,
      ...singletonStarts,
      HubConnectionDegraded: [waiting(place), ...connection],
    },
    managedCluster: [undefined, []],
    request: [''],
    secrets: [bootstrapped],
    hasMailbox: false,
    ...others,
  };
}

/** A Singleton agent that makes no progress. */
function stranded(connection: State, rest: Partial<Sequences> = {}): Sequences {
  return {
    klusterlet: {
      ValidFeatureGates: validGates,
      Applied: applied,
      ...singletonStarts,
      HubConnectionDegraded: [connection],
    },
    managedCluster: [undefined],
    request: [],
    secrets: [bootstrapped],
    hasMailbox: false,
    ...rest,
  };
}

export const joinSingleton = (place: Place): Sequences =>
  registering(place, {
    connection: [passing(unauthorized(place)), working(place)],
    managedCluster: [undefined, [], [accepted], joined],
    request: issued,
    secrets: [bootstrapped, withHubSecret],
    hasMailbox: true,
  });

export const joinDefault = (place: Place): Sequences => ({
  ...joinSingleton(place),
  klusterlet: {
    ValidFeatureGates: validGates,
    Applied: applied,
    Available: [
      passing(notAvailable('klusterlet-registration-agent')),
      notAvailable('klusterlet-work-agent'),
      ready('klusterlet-registration-agent', 'klusterlet-work-agent'),
    ],
    RegistrationDesiredDegraded: [passing(unavailable('klusterlet-registration-agent')), desired(1)],
    WorkDesiredDegraded: [desired(0), passing(unavailable('klusterlet-work-agent')), desired(1)],
    HubConnectionDegraded: [waiting(place), passing(unauthorized(place)), passing(working(place))],
  },
});

export const denied = (place: Place): Sequences => registering(place, { request: ['', 'Denied'] });

export const approvedNotAccepted = (place: Place): Sequences =>
  registering(place, { connection: [unauthorized(place)], request: issued, secrets: [bootstrapped, withHubSecret] });

export const acceptedNotApproved = (place: Place): Sequences =>
  registering(place, { managedCluster: [undefined, [], [accepted]], hasMailbox: true });

export const wrongPort = (): Sequences =>
  stranded(reviewFailed(post('https://127.0.0.1:1', 'dial tcp 127.0.0.1:1: connect: connection refused')));

export const unresolvableName = (): Sequences =>
  stranded(
    reviewFailed(post('https://hub.invalid:6443', 'dial tcp: lookup hub.invalid on 10.96.0.10:53: no such host')),
  );

export const wrongCa = ({ hub }: Place): Sequences =>
  stranded(reviewFailed(post(hub, 'tls: failed to verify certificate: x509: certificate signed by unknown authority')));

export const garbageToken = (): Sequences => stranded(reviewFailed('Unauthorized'));

export const noBootstrapSecret = (): Sequences => {
  const message = `Failed to get bootstrap secret ${agent} ${bootstrapName}: secrets ${bootstrapName} not found\n${hubSecretMissing}`;
  const missing: State = { status: 'True', reason: 'BootstrapSecretMissing,HubKubeConfigSecretMissing', message };
  const { klusterlet, ...others } = stranded(missing, { secrets: [[pullSecret]] });
  // Its pod waits for the Secret, and never starts.
  const neverStarts = {
    Available: [notAvailable('klusterlet-agent')],
    RegistrationDesiredDegraded: [unavailable('klusterlet-agent')],
    WorkDesiredDegraded: [unavailable('klusterlet-agent')],
  };
  return { ...others, klusterlet: { ...klusterlet, ...neverStarts } };
};
