/** One write of a remedy. The fields are an interface: docs/output.md. */
export interface Write {
  /** What is done to the object; a token is requested for its service account. */
  verb: 'write' | 'delete' | 'restart' | 'request a token of';
  /** Its kind and name, as `Secret NAMESPACE/NAME`, or `Pods in NAMESPACE`. */
  object: string;
  /** The context of its cluster. */
  on: string;
  /** The UID of the object that was read, if it exists. */
  uid?: string | undefined;
  /** A clause: what is wrong with the object, or the effect of the write. */
  why?: string;
}

/** A fix that needs no decision of a user. */
export interface Remedy {
  writes: readonly Write[];
  /** Writes; not in a dry run. @throws StellarError */
  apply(): Promise<void>;
}

/** Equal for the same write to the same object in two readings. */
export const keyOf = ({ verb, object, on, uid }: Write): string => JSON.stringify([verb, object, on, uid]);
