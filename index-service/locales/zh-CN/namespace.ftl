# 命名空间页面。
namespace-site = 官方镜像
namespace-organisation = 组织
namespace-account = 个人
namespace-new = 新建仓库
namespace-account-settings = 我的账号
namespace-organisation-page = 管理组织
namespace-repositories = 仓库
namespace-bytes = 存储占用（相同的层只计一次）
namespace-location = 所在地
namespace-website = 网站
namespace-since = 创建时间
namespace-filter = 查找仓库
namespace-order-pulls = 拉取最多在前
namespace-none-such = 没有名称包含“{ $part }”的仓库。
namespace-empty = 这里没有您可以查看的内容。
namespace-empty-own = 这里还没有仓库。推送镜像即可创建仓库：
namespace-pulls =
    { $n ->
       *[other] { $n } 次拉取
    }
namespace-stars =
    { $n ->
       *[other] { $n } 个星标
    }
