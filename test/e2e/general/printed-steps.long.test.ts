/** One fault of each kind: what stellarctl prints first, and what that prints, heals it or says what a person decides. */
import { describe } from 'node:test';
import { walkRegistrationFaults } from '../support/walk-tests.ts';

const sample = ['bootstrap-secret-missing', 'duplicate-name-after', 'deletion-held-by-finalizer'];

describe('of each kind of fault of a registration', { concurrency: 1 }, () =>
  walkRegistrationFaults(['cluster1', 'cluster2', 'cluster3'], (fault) => sample.includes(fault)),
);
