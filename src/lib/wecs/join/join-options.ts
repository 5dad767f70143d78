import { isServerAddress } from '../../core/object-names.ts';
import type { Confirm } from '../../core/read-confirmed.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ClusterRef } from '../../kube/client/errors.ts';
import type { Foreseen } from '../../kube/client/foreseen.ts';
import { isOcmVersion } from '../../ocm/model/ocm-names.ts';

/** Values of `--hub-apiserver`: the server of the context, and what the ITS publishes in kube-public/cluster-info. */
const namedAddresses = ['context', 'published'] as const;

/** The modes of a klusterlet: one Deployment for both agents, or one for each (ocm operator/v1, deployOption). */
export const agentModes = ['Singleton', 'Default'] as const;
export type AgentMode = (typeof agentModes)[number];

/** The user's options for a join; if one is undefined, the ITS or the existing objects decide. */
export interface JoinOptions {
  /** An https URL, or one of `namedAddresses`. */
  hubApiserver?: string | undefined;
  /** PEM */
  certificateAuthority?: string | undefined;
  proxyUrl?: string | undefined;
  mode?: AgentMode | undefined;
  ocmVersion?: string | undefined;
  imageRegistry?: string | undefined;
  /** Content of a docker config.json. */
  imagePullSecret?: string | undefined;
  accept: boolean;
  /** Keep an agent that re-registers from deleting what the ITS does not send; see evict-from-former-hub.ts. */
  holdWorks?: boolean | undefined;
  /** Move a WEC that is registered with another hub, once the user agrees. */
  replaceHub?: Confirm<Moving> | undefined;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
}

/** The same for a join that is made, not only planned. */
export interface ForeseenJoin extends JoinOptions {
  /** What its labels and its acceptance do to workloads. */
  effects: Foreseen;
}

/** What is wrong with the value of an option; undefined if nothing is. */
export const joinOptionProblems = {
  hubApiserver: (address: string) =>
    namedAddresses.some((name) => name === address) || isServerAddress(address)
      ? undefined
      : `"${address}" is not an address of an API server: it has the form https://HOST:PORT, or is one of ${namedAddresses.join(', ')}`,
  ocmVersion: (version: string) =>
    isOcmVersion(version)
      ? undefined
      : `"${version}" is not a version of OCM: it has the form 1.3.1`,
  proxyUrl: (url: string) => (URL.canParse(url) ? undefined : `"${url}" is not a URL`),
};

/** Works of the hub that a WEC's agent was registered with, which the next hub does not have. */
export interface RemainingWorks {
  /** Works that the agent deletes, with their workloads, when it has not found them for the grace period. */
  evicted: string[];
  /** Works of an earlier agent, which no agent manages: they stay. */
  orphaned: string[];
  /** As `60m0s` in the Klusterlet. */
  gracePeriod: string;
}

/** A WEC that moves from another hub. */
export interface Moving {
  name: string;
  cluster: ClusterRef;
  /** The UID of its Klusterlet. */
  klusterlet: string;
  /** The server of the other hub. */
  from: string;
  its: string;
  /** Undefined if they may not be read. */
  works: RemainingWorks | undefined;
}

/** A cluster to register: its name as a WEC, and a client for it. */
export interface JoiningWec {
  name: string;
  kube: Kube;
  /** Its own options, besides those of all WECs. */
  options?: Partial<JoinOptions> | undefined;
}
