"""daybreak.report"""
