/**
 * The first import of each unit test: the environment of a run, where none has given it. So an editor can run a file by itself, with
 * `node --test FILE`.
 */
import { cleanUnlessGiven } from '../../../scripts/test-environment.ts';

export const isByItself = cleanUnlessGiven();
