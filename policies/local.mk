# The shipped policy sets: examples until somebody copies them.
mayarbidir = $(datadir)/ullage/examples/mayarbi
dist_mayarbi_DATA = policies/mayarbi/ullage.json
mayarbipolicydir = $(mayarbidir)/policies.d
dist_mayarbipolicy_DATA = \
	policies/mayarbi/arbitrage_engine.json \
	policies/mayarbi/bridge_monitor.json \
	policies/mayarbi/cross_chain_mev.json \
	policies/mayarbi/health_monitor.json \
	policies/mayarbi/memory_system.json \
	policies/mayarbi/price_feeds.json \
	policies/mayarbi/wallet_manager.json
