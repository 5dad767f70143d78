import type { Sight } from '../../engine/follow.ts';
import type { Problem } from '../../engine/problem.ts';
import type { Registration } from '../registration/checks.ts';
import { causeOf } from './checks.ts';

/**
 * The cause that keeps a WEC whose registration is followed: what `wec get` and doctor say, from what was read of it last. Reads nothing.
 * @param its the context of its ITS
 */
export const verdictOf = ({ snapshot, reports }: Sight<Registration>, its: string): Problem | undefined =>
  causeOf({ ...snapshot, reports, mailbox: null, forbidden: new Set(), its });
