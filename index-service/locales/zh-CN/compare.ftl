# 标签对比。
compare-of = 对比 { $name } 的标签
compare-title = 对比标签
compare-from = 较早
compare-to = 较新
compare-do = 对比
compare-same = 层和配置完全相同。
compare-shared = 共有
compare-added = 新增
compare-removed = 移除
compare-bytes-shared = 两者共有 { $bytes }
compare-bytes-added = 仅较新一方有 { $bytes }
compare-bytes-removed = 仅较早一方有 { $bytes }
compare-differences = 配置差异
compare-what = 设置项
compare-variable = 环境变量
compare-label = 镜像标注
compare-there = 已设置
compare-same-count =
    { $n ->
       *[other] 另有 { $n } 项设置和镜像标注相同。
    }
compare-setting-entrypoint = 入口点
compare-setting-cmd = 命令
compare-setting-working-dir = 工作目录
compare-setting-user = 用户
compare-setting-exposed-ports = 端口
compare-setting-volumes = 卷
compare-setting-stop-signal = 停止信号
compare-setting-os = 操作系统
compare-setting-architecture = 架构
compare-setting-variant = 变体
compare-setting-author = 作者
