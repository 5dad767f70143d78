import type { Command } from 'commander';
import type { Io } from '../../lib/terminal/io.ts';
import { defineGroup } from '../shell/options.ts';
import { policyCreateCommand } from './create.ts';
import { policyDeleteCommand } from './delete.ts';
import { policyExplainCommand } from './explain.ts';
import { policyGetCommand } from './get.ts';
import { policyListCommand } from './list.ts';
import { policyRefreshCommand } from './refresh.ts';

export const policyGroup = (io: Io): Command =>
  defineGroup('policy', 'Commands for binding policies: which objects of a WDS go to which WECs.', [
    policyCreateCommand(io),
    policyListCommand(io),
    policyGetCommand(io),
    policyExplainCommand(io),
    policyRefreshCommand(io),
    policyDeleteCommand(io),
  ]);
