module kserve-platform.local/pause

go 1.21
