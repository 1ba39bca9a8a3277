# 85, 90, 95 percent of a filesystem. In the emergency the components give in
# the order of their priority, the lowest first, each by type, and no more
# than is needed; config goes where the policy says so, and last.
filesystem srv total=10000MB others=7000MB
{
component wallets priority=critical allocation=4000MB
component feeds priority=high allocation=4000MB
component health priority=low allocation=4000MB config-may-go
file wallets temp/w size=100MB age=9d
file wallets data/keys size=100MB age=9d protected
file feeds data/f size=300MB age=9d
file feeds cache/f size=200MB age=1d
file health data/h size=200MB age=9d
file health temp/h size=100MB age=1h
file health config/h size=100MB age=90d
file health temp/young size=100MB age=9min
}
filesystem srv others=7300MB
filesystem srv others=7900MB
advance 1min
# All have given, and it is not enough: missed, and asked again each minute.
filesystem srv others=9400MB
advance 2min
filesystem srv others=3000MB
