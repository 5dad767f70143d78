import type { Confirm } from '../../lib/core/read-confirmed.ts';
import { count } from '../../lib/core/words.ts';
import { confirming } from './confirm.ts';
import type { Session } from './session.ts';

/** Asks about the objects on WECs that a WDS has sent through another ITS than the one that it gets. */
export const confirmLeft = (
  session: Session,
  name: string,
  yes: boolean | undefined,
): Confirm<readonly string[]> =>
  confirming(session, {
    show(objects) {
      const places = Map.groupBy(objects, (object) => object.slice(object.indexOf(' on ')));
      for (const [where, { length }] of places)
        session.progress.note(
          `  ${count(length, 'object')}${where}: kept, and no longer updated or removed`,
        );
    },
    confirmations: ({ length }) =>
      length === 0 ? [] : [{ verb: 'Repair', doing: 'Repairing', name, yes }],
  });
