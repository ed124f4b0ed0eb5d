# 搜索页
search-title = 搜索
search-filters = 筛选
search-order = 排序
search-order-best = 最佳匹配
search-order-stars = 星标最多
search-order-pulls = 拉取最多
search-order-updated = 最近更新
search-order-name = 名称
search-stars = 星标
search-stars-any = 不限
search-stars-one = 至少 1 个
search-stars-ten = 至少 10 个
search-stars-hundred = 至少 100 个
search-updated = 更新时间
search-time-any = 不限
search-time-week = 一周内
search-time-month = 一个月内
search-time-year = 一年内
search-platform = 平台
search-topic = 主题
search-official = 仅官方
search-reset = 清除筛选
search-results = 搜索结果
search-count =
    { $n ->
        [0] 没有找到仓库
       *[other] 共 { $n } 个仓库
    }
search-count-more = 超过 { $n } 个仓库，最匹配的排在最前
search-none = 没有找到仓库。请尝试更少或更短的关键词，或清除筛选条件。私有仓库只有有权拉取的人才能搜到，请确认您已登录。
