"""daybreak.plugin"""
