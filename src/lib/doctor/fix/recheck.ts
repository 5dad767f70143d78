import type { Run } from '../../engine/run.ts';
import { type Recheck, recheck } from '../../wecs/klusterlet/recheck.ts';
import type { DoctorInput } from '../doctor.ts';
import type { Examined } from '../subject.ts';
import { wecKnown } from '../unseen.ts';

/** The result of a request to a WEC's operator to read its hub again. The fields are an interface: docs/output.md. */
export type Rechecked = { name: string } & Recheck;

/**
 * Requests the operators of all WECs with given contexts to read their hubs again, in parallel: 10 s at most.
 * @param examined the findings on them: the operator of another cluster is not asked
 */
export const recheckAll = (wecs: DoctorInput['wecs'], examined: readonly Examined[], run: Run): Promise<Rechecked[]> =>
  Promise.all(
    wecs.flatMap(({ name, kube }) => {
      if (kube === undefined) return [];
      const why = whyAnother(examined.find(({ subject }) => subject.kind === 'wec' && subject.name === name));
      return [why === undefined ? recheck(kube, run).then((result) => ({ name, ...result })) : unasked(name, why)];
    }),
  );

const unasked = async (name: string, why: string): Promise<Rechecked> => ({ name, answer: 'unasked', why });

/** The checks that fail if a context points to another cluster than the WEC. */
const identifying = ['wec-context', 'wec-name', 'wec-hub', wecKnown.id];

function whyAnother(wec: Examined | undefined): string | undefined {
  if (wec === undefined) return 'its ITS could not be read to verify that it is this WEC';
  const found = wec.findings.find(({ id, status }) => identifying.includes(id) && status === 'fail');
  return found?.status === 'fail' ? found.problem.message : undefined;
}
