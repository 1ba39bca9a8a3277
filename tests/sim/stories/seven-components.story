# The seven components of an arbitrage host, each driven over its warning and
# then over its critical level; the strategy of each answers.
filesystem srv total=100GB
{
component arbitrage_engine priority=critical allocation=2000MB warning=1600MB critical=1900MB strategy=priority interval=12h data=60d logs=14d cache=48h limits.share=100%
component bridge_monitor priority=high allocation=1000MB warning=800MB critical=950MB strategy=time interval=8h data=30d logs=7d cache=24h limits.share=100%
component cross_chain_mev priority=high allocation=1500MB warning=1200MB critical=1425MB strategy=adaptive interval=10h data=45d logs=10d cache=36h limits.share=100%
component price_feeds priority=high allocation=3000MB warning=2400MB critical=2850MB strategy=lru interval=6h data=90d logs=14d cache=72h limits.share=100%
component wallet_manager priority=critical allocation=500MB warning=400MB critical=475MB strategy=priority interval=24h data=365d logs=30d cache=12h limits.share=100%
component memory_system priority=normal allocation=5000MB warning=4000MB critical=4750MB strategy=adaptive interval=4h data=180d logs=21d cache=168h limits.share=100%
component health_monitor priority=low allocation=200MB warning=160MB critical=190MB strategy=time interval=4h data=14d logs=3d cache=6h limits.share=100%

file arbitrage_engine data/trades size=1000MB age=20d
file arbitrage_engine logs/log size=100MB age=5d count=2 every=1d
file arbitrage_engine cache/quotes size=100MB age=30h count=3 every=6h
file bridge_monitor data/bridges size=300MB age=10d
file bridge_monitor logs/log size=80MB age=9d count=5 every=2d
file cross_chain_mev cache/old size=100MB age=40h
file cross_chain_mev cache/routes size=100MB age=30h read=1h
file cross_chain_mev cache/pools size=100MB age=20h read=12h
file cross_chain_mev logs/log size=150MB age=3d count=2 every=1d
file cross_chain_mev data/blocks size=500MB age=9d
file price_feeds data/ticks size=400MB age=20d count=4 every=1d read=15d
file price_feeds cache/book size=300MB age=40h read=20h
file price_feeds cache/hot size=300MB age=40h read=1h
file wallet_manager data/wallets size=200MB age=200d protected
file wallet_manager cache/nonces size=60MB age=5h count=2 every=1h
file wallet_manager logs/log size=60MB age=10d
file memory_system cache/embeddings size=800MB age=100h
file memory_system data/store size=2000MB age=30d
file memory_system logs/log size=1000MB age=8d
file health_monitor logs/log size=30MB age=80h count=4 every=12h
file health_monitor data/probes size=30MB age=1d
}

# Warning, one after the other.
file arbitrage_engine temp/spool size=120MB age=1h
file bridge_monitor data/more size=120MB age=1h
file cross_chain_mev temp/spool size=250MB age=1h
file price_feeds temp/spool size=300MB age=1h
file wallet_manager temp/spool size=30MB age=1h
file memory_system temp/spool size=300MB age=1h
file health_monitor temp/spool size=20MB age=1h

# And critical.
advance 1min
file arbitrage_engine data/burst size=600MB
file bridge_monitor data/burst size=300MB
file cross_chain_mev data/burst size=600MB
file price_feeds data/burst size=900MB
file wallet_manager data/burst size=200MB
file memory_system data/burst size=1500MB
file health_monitor data/burst size=140MB
