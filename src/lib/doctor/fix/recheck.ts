import type { Run } from '../../engine/run.ts';
import { type Recheck, recheck } from '../../wecs/klusterlet/recheck.ts';
import type { DoctorInput } from '../doctor.ts';

/** What came of asking the operator of a WEC to look again. The fields are an interface: docs/output.md. */
export type Rechecked = { name: string } & Recheck;

/** Has the operators of all WECs whose contexts were given look at their hubs again, side by side: 10 s at most. */
export const recheckAll = (wecs: DoctorInput['wecs'], run: Run): Promise<Rechecked[]> =>
  Promise.all(
    wecs.flatMap(({ name, kube }) =>
      kube === undefined ? [] : [recheck(kube, run).then((result) => ({ name, ...result }))],
    ),
  );
