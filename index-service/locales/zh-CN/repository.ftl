# 仓库页面：简介、标签与动态。
repository-pages = 此仓库的页面
repository-overview = 概览
repository-tags = 标签
repository-activity = 动态
repository-compare = 对比
repository-comments = 评论
repository-settings = 设置
repository-official = 官方镜像
repository-verified = 已认证
repository-public = 公开
repository-internal = 内部
repository-private = 私有
repository-star = 加星标
repository-unstar = 已加星标
repository-keep = 收藏
repository-drop = 已收藏
repository-done-starred = 已为此仓库加星标。
repository-done-unstarred = 已取消星标。
repository-done-kept = 已加入收藏。
repository-done-dropped = 已从收藏中移除。
repository-pull-title = 拉取此镜像
repository-recent-tags = 最近更新的标签
repository-all-tags =
    { $n ->
       *[other] 全部 { $n } 个标签
    }
repository-tags-of = { $name } 的标签
repository-tags-caption = 标签及其平台、大小与拉取次数
repository-tag-count =
    { $n ->
       *[other] 共 { $n } 个标签
    }
repository-tag = 标签
repository-platforms = 平台
repository-size = 大小
repository-pulls = 拉取
repository-pushes = 推送
repository-updated = 更新时间
repository-digest = 摘要
repository-filter = 查找标签
repository-filter-do = 显示
repository-order = 排序
repository-order-updated = 最近更新在前
repository-order-name = 按名称
repository-no-tags = 这里还没有标签。
repository-no-such-tags = 没有名称包含“{ $part }”的标签。
repository-looked-at =
    { $n ->
       *[other] 本页查找了 { $n } 个标签。
    }
repository-look-further = 继续往后查找
repository-look-again = 从头开始
repository-description = 简介
repository-edit = 编辑
repository-no-description = 此仓库还没有简介。
repository-no-description-own = 此仓库还没有简介。写上几句，方便别人了解它。
repository-description-of-image = 以下说明来自镜像本身。
repository-facts = 基本信息
repository-visibility = 可见性
repository-stars = 星标
repository-bytes = 存储占用（相同的层只计一次）
repository-last-push = 最近推送
repository-licenses = 许可证
repository-topics = 主题
repository-feed = 通过 Atom 订阅此仓库的变更
repository-lineage = 相关镜像
repository-built-on = 基础镜像
repository-used-by = 基于它构建的镜像
repository-newer = 有更新的镜像：{ $tag }
repository-empty-title = 还没有推送过镜像
repository-empty-text = 所有者推送镜像后，再来看看吧。
repository-empty-push = 三步即可从您的电脑推送镜像：
repository-empty-login = 用密码或访问令牌登录。
repository-empty-tag = 用此仓库的名称为镜像打标签。
repository-empty-send = 推送镜像。
repository-empty-token = 在脚本中，建议使用访问令牌代替密码。
repository-empty-token-link = 创建访问令牌
repository-chart-title =
    { $n ->
       *[other] 最近 { $n } 天的拉取
    }
repository-chart-text =
    { $n ->
       *[other] 共拉取 { $n } 次
    }
repository-chart-most =
    { $n ->
       *[other] 单日最多 { $n } 次
    }
repository-chart-day =
    { $n ->
       *[other] { $day }：拉取 { $n } 次
    }
repository-chart-table = 以表格查看
repository-day = 日期
repository-calendar = 最近 53 周的拉取与推送
repository-calendar-pushes =
    { $n ->
       *[other] 共推送 { $n } 次
    }
repository-calendar-day = { $day }：拉取 { $pulls } 次，推送 { $pushes } 次
repository-calendar-less = 少
repository-calendar-more = 多
repository-calendar-outline = 当天有推送
repository-week = 起始日（周一）
repository-sums = 拉取来源
repository-no-pulls =
    { $n ->
       *[other] 最近 { $n } 天没有人拉取。
    }
repository-activity-of = { $name } 的动态
repository-span = 时间范围
repository-days =
    { $n ->
       *[other] { $n } 天
    }
repository-by = 分组方式
repository-by-platform = 按平台
repository-by-client = 按客户端
repository-by-tag = 按标签
repository-by-what = 对象
repository-sums-caption = 此时间范围内的拉取与推送
repository-pulls-all = 累计拉取
repository-pushes-all = 累计推送
repository-history = 标签变更记录
repository-no-history = 还没有标签变更记录。
repository-deleted-tags = 已删除的标签
repository-deleted-at = 删除时间
repository-restorable = 可恢复至
repository-restore = 恢复
