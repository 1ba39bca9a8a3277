# Every interval what is due by age goes, target or not; over the warning
# level a schedule frees down to the target as well.
filesystem srv total=100GB
component c allocation=1000MB strategy=time interval=4h logs=3d cache=6h limits.share=50%
component quiet allocation=1000MB strategy=time
{
file c logs/log size=10MB age=3d count=4 every=2h
file c cache/x size=10MB age=5h
file c data/x size=10MB age=900d
file quiet logs/log size=10MB age=900d
}
advance 3h
advance 1h
advance 12h
