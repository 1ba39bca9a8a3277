// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/*
 * How the components that are being listed share the workers: the fullest has
 * as many listings under way as can be, the others a few each. So it is
 * known first where a cleanup may be needed first; nobody waits for long if
 * its disk is slow; and all of it takes as long as it did.
 *
 * How full a component is, until it is counted: what there was before the
 * start, or what was found so far, if that is more, of its allocation.
 *
 * While the host waits for its disks anyway (pressure.h), each has one listing
 * under way: those who work here come first. Not if a disk hangs: that is no
 * load that would pass, and one listing that hangs would hold up the other
 * roots of its component.
 */

struct agent;

#define SCAN_FEW     8u /* listings of one that is not the fullest */
#define SCAN_HUNG_NS INT64_C(2000000000) /* a listing without a sign of life */

/* Once a turn, before jobs are sent out. */
void scan_share(struct agent *a);
