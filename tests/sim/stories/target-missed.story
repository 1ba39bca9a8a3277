# What may not go keeps usage above the target: an alert says so, and is
# resolved when it is no longer true.
filesystem srv total=100GB
component c allocation=1000MB strategy=lru limits.share=100%
{
file c data/keys size=500MB age=90d protected
file c data/linked size=100MB age=90d linked
file c data/theirs size=100MB age=90d foreign
file c data/socket size=0 age=90d socket
file c config/conf size=50MB age=90d
}
file c cache/x size=60MB age=1d
file c cache/y size=100MB age=0s
advance 1min
advance 10min
remove c data/theirs
