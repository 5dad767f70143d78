import { StellarError } from '../../errors.ts';
import type { Reader } from '../../kube/client.ts';
import { isTrue, type WithConditions } from '../../kube/objects.ts';
import { resources } from '../../kube/resources.ts';

/** Whether a kind that a CustomResourceDefinition defines can be used: Established comes a moment after the definition. */
export async function isCrdServed(kube: Pick<Reader, 'get'>, crd: string): Promise<boolean> {
  return isTrue(await kube.get<WithConditions>(resources.customResourceDefinitions, crd), 'Established');
}

/** What a look into a space gave: what is there, or why nothing is seen. */
export type InsideLook<Inside> =
  | { state: 'seen'; inside: Inside }
  /** It is known how to reach it, and it does not answer as it should. */
  | { state: 'silent'; why: string }
  /** It does not run yet. */
  | { state: 'not-yet'; why: string }
  /** It is not known how to reach it from here. */
  | { state: 'unknown'; why: string };

/** Looks into a space: one that does not answer (yet) is no reason to stop looking at the rest. */
export async function lookInside<Inside>(read: () => Promise<Inside>): Promise<InsideLook<Inside>> {
  try {
    return { state: 'seen', inside: await read() };
  } catch (error) {
    if (!(error instanceof StellarError) || error.code === 'interrupted') throw error;
    return { state: 'silent', why: error.message.replace(/\.$/, '') };
  }
}
