import type { Kube } from '../../kube/client/client.ts';

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
  labels: Record<string, string>;
}

/** A cluster to register: its name as a WEC, and a client for it. */
export interface JoiningWec {
  name: string;
  kube: Kube;
}
