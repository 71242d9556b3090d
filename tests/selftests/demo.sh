#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The demo shows what it says.

. "$(dirname "$0")/lib.sh"

output=$(../demo/run.sh 2>&1)
check "the demo ends well" test $? -eq 0
check "the attacker is cut off" grep -Eq 'attacker.*cut off' <<<"$output"
check "the attacker is let in again" grep -Eq 'attacker.*(again)' <<<"$output"
check "it ends with a table" grep -Eq '^ *attacker +[0-9]+' <<<"$output"
finish
