import '../../support/environment.ts';
import { test } from 'node:test';
import type { WecFindings } from '../../../../src/lib/wecs/registration/registration-checks.ts';
import { registeredElsewhere } from '../../../../src/lib/wecs/registration/reregister.ts';
import { matches } from '../../support/steps.ts';

const said = (state: 'accepted' | 'refused') =>
  registeredElsewhere({
    name: 'cluster1',
    its: 'its1',
    wec: { context: 'kind-1' },
    foundHub: {
      hub: { server: 'https://hub' },
      relation: 'other',
      isConnected: false,
      answer: { state },
    },
  } as unknown as WecFindings)?.message;

test('a hub is called another one only if the ITS refuses the certificate', () => {
  matches(said('refused'), /to its1: it is registered with the hub https:\/\/hub\.$/);
  matches(
    said('accepted'),
    /with the hub https:\/\/hub, and nothing proves that this is the ITS\.$/,
  );
});
