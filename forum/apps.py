from django.apps import AppConfig


class ForumConfig(AppConfig):
    name = "forum"

    def ready(self) -> None:
        from forum import badge_rules, belongings, deeds, described, findable, hearing, moderated

        described.register()
        findable.register()
        moderated.register()
        hearing.register()
        badge_rules.register()
        deeds.register()
        belongings.register()
