# Every area has its own list of unit tests.
include tests/unit/base.mk
include tests/unit/model.mk
include tests/unit/index.mk
include tests/unit/policy.mk
include tests/unit/strategies.mk
include tests/unit/watch.mk
include tests/unit/act.mk
include tests/unit/agent.mk
include tests/unit/failing.mk
include tests/hostile/local.mk
include tests/sim/local.mk
include tests/fuzz/local.mk
