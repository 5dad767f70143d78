/** Every fault of the bed: what stellarctl prints first, and what that prints, heals it or says what a person decides. */
import { after, describe } from 'node:test';
import { summary, walkRegistrationFaults, walkSpaceFaults } from '../support/walk-tests.ts';

describe('faults of a registration', { concurrency: 1 }, () =>
  walkRegistrationFaults(['cluster1', 'cluster2']),
);
describe('faults of a hosting cluster', { concurrency: 1 }, () => walkSpaceFaults());

after(() => console.log(summary()));
