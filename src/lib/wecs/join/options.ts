import type { Confirm } from '../../engine/agreed.ts';
import type { Kube } from '../../kube/client/client.ts';
import type { ClusterRef } from '../../kube/client/errors.ts';
import type { WorksLeft } from './former-hub.ts';

/** What the user asked a join to be like; what is undefined is decided by the ITS or by what is there. */
export interface JoinOptions {
  hubApiserver?: string | undefined;
  forceInternalEndpointLookup?: boolean | undefined;
  /** PEM */
  certificateAuthority?: string | undefined;
  proxyUrl?: string | undefined;
  singleton?: boolean | undefined;
  ocmVersion?: string | undefined;
  imageRegistry?: string | undefined;
  /** Content of a docker config.json. */
  imagePullSecret?: string | undefined;
  accept: boolean;
  /** Move a WEC that is registered with another hub, once the user agrees. */
  replaceHub?: Confirm<Moving> | undefined;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
  /** Asks a person for the labels of a WEC that has lost them. @param kept those that it had when it was last joined */
  askLabels?: ((name: string, kept: Record<string, string>) => Promise<Record<string, string>>) | undefined;
}

/** A WEC that is to be taken away from another hub. */
export interface Moving {
  name: string;
  cluster: ClusterRef;
  /** The UID of its Klusterlet. */
  klusterlet: string;
  /** The server of the other hub. */
  from: string;
  its: string;
  /** Options that set the labels and annotations again that it had. */
  labels: string[];
  /** Undefined where they may not be read. */
  works: WorksLeft | undefined;
}

/** A cluster to register: its name as a WEC, and a client for it. */
export interface JoiningWec {
  name: string;
  kube: Kube;
}
